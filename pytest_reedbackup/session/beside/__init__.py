"""Cases that run in a process beside this one: they wait more than they work.

A sweep starts and ends processes, and a case about a lock that stays taken waits
for seconds. A fork of this process runs them while it runs the others. The tests
themselves stay here, with all that plugins make of them: only what their function
did comes from there. Where nothing came, the function runs here.
"""
