"""To whom a restored file or folder may be given."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from reedbase_backup.archive.admission import ArchiveEntry

# Chown is not ours to do, or the owner is nobody on this system.
_NOT_TO_BE_GIVEN = (errno.EPERM, errno.EINVAL)


class Ownership:
    """What this process may do about owners.

    As tar does: only root can give files back to their owners. But to a group of
    theirs, all can, and a database that a group shares needs it.
    """

    def __init__(self) -> None:
        self._user = os.geteuid()
        self._groups = {os.getegid(), *os.getgroups()}

    def give(self, entry: ArchiveEntry, chown: Callable[[int, int], None]) -> None:
        """Give a new file or folder to the owner it had, as far as the system allows."""
        try:
            if self._user == 0:
                chown(entry.uid, entry.gid)
            elif entry.gid in self._groups:
                chown(-1, entry.gid)
        except OSError as error:
            # Root of a container, or on a foreign disk: the content matters more.
            if error.errno not in _NOT_TO_BE_GIVEN:
                raise

    def can_give(self, entry: ArchiveEntry) -> bool:
        """Return whether what is written anew gets just the owner and group it had."""
        return self._user == 0 or (entry.uid == self._user and entry.gid in self._groups)
