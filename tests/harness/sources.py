"""Source of small implementations that the tests put into a user's folder as `mine.py`."""

MINE = '''
import os, sys, time
from reedbase_backup.adapter.loading import load

class Conforming:
    """The reference under another name."""
    capabilities = ("clock",)

    def __init__(self):
        self.__dict__.update(load("python").functions)

class Reversed(Conforming):
    """Lists the oldest first."""
    def __init__(self):
        super().__init__()
        original = self.list_backups
        self.list_backups = lambda base_path: original(base_path)[::-1]

class Hanging(Conforming):
    """Never comes back from a list."""
    def __init__(self):
        super().__init__()
        self.list_backups = lambda base_path: time.sleep(600)

class Gone(Conforming):
    """Ends the process at a list."""
    def __init__(self):
        super().__init__()
        self.list_backups = lambda base_path: os._exit(3)

class Shaky(Conforming):
    """Lists the oldest first, the first time that there is an order."""
    asked = []
    def __init__(self):
        super().__init__()
        original = self.list_backups
        def list_backups(base_path):
            listed = original(base_path)
            if len(listed) > 1 and not self.asked:
                self.asked.append(base_path)
                return listed[::-1]
            return listed
        self.list_backups = list_backups

class Clockless(Conforming):
    """Reads the clock itself."""
    capabilities = ()
'''
