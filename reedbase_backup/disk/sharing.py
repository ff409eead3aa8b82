"""Who besides the owner may read a backup: nobody who could not read all of the database.

A backup is open to its owner alone (0600, in a backups/ of 0700), whatever the
umask. There is one exception, for without it nobody else could list, make or
restore backups of a database that a group keeps together: where every folder is
setgid and open to one group, and every file may be read by it, that group may
read the archive (0640) and use a backups/ that was made for it (2770).
(contract `ticket`, create/private)
"""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Iterable

PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700
SHARED_FILE = 0o640
SHARED_FOLDER = 0o2770

_OPEN_TO_GROUP = stat.S_ISGID | stat.S_IRWXG
# With an access control list, what the mode shows of the group is only the limit
# of what the list may give.
_ACCESS_LIST = "system.posix_acl_access"
_NO_ACCESS_LIST = (errno.ENODATA, errno.EOPNOTSUPP)


class Readers:
    """The group, if there is one, that may read all the folders and files seen."""

    def __init__(self) -> None:
        self.are_shared = sys.platform == "linux"
        """Whether there may be one; if so, nothing that was seen has an access control list."""
        self.groups: set[int] = set()
        """Of all that was seen while there might be one."""

    def apart(self) -> Readers:
        """Return the same, who see on their own from here on."""
        others = Readers()
        others.are_shared, others.groups = self.are_shared, set(self.groups)
        return others

    def see(self, descriptor: int, status: os.stat_result) -> None:
        """Take one open folder or file of the database into account."""
        if self.are_shared:
            self.groups.add(status.st_gid)
            self.are_shared = _group_may_read(status.st_mode) and not _has_access_list(descriptor)

    def see_unchanged(self, statuses: Iterable[os.stat_result]) -> None:
        """Take files without an access control list into account, unopened."""
        for status in statuses:
            if self.are_shared:
                self.groups.add(status.st_gid)
                self.are_shared = _group_may_read(status.st_mode)

    def see_all_of(self, *, are_shared: bool, groups: Iterable[int]) -> None:
        """Take into account what those who are `apart` have become."""
        self.groups.update(groups)
        self.are_shared = self.are_shared and are_shared

    def include(self, group: int) -> bool:
        """Return whether the members of `group` could read everything that was seen."""
        return self.are_shared and self.groups == {group}


def _group_may_read(mode: int) -> bool:
    if stat.S_ISDIR(mode):
        return mode & _OPEN_TO_GROUP == _OPEN_TO_GROUP
    return bool(mode & stat.S_IRGRP)


def _has_access_list(descriptor: int) -> bool:
    if sys.platform == "linux":
        try:
            os.getxattr(descriptor, _ACCESS_LIST)
        except OSError as error:
            return error.errno not in _NO_ACCESS_LIST
    return True
