"""The port, but under a name for which nobody has declared anything."""

UNDECLARED_PORT = """
from reedbase_backup import last

class Undeclared:
    name, contracts = "undeclared", ("last",)
    create_backup = staticmethod(last.create_backup)
    list_backups = staticmethod(last.list_backups)
    restore_point_in_time = staticmethod(last.restore_point_in_time)
"""
"""Source of a module, whose object is `Undeclared`."""
