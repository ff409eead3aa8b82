"""Cases that run in processes beside this one.

A sweep starts and ends processes, a case about a lock that stays taken waits for
seconds, and one whose own processes meet often waits for them: forks of this process
run them while it runs the others. Where no sweep needs the second processor, one more
shares those others, from their end. A worker of pytest-xdist has forks for what waits
for seconds, and no more. The tests themselves stay here, with all that plugins make of
them: only what their function did comes from there. Where nothing came, the function
runs here.
"""
