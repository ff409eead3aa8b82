"""The time that an implementation sees: one interface, four ways to set it, one file each.

In the order of preference: the adapter's capability `clock`; moving the clock of
an object in this process, or with libfaketime that of an unmodified child
process; waiting for real seconds.
"""
