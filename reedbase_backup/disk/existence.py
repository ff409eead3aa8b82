"""Whether there is a folder or a name, where a failing disk must not be taken for a no."""

from __future__ import annotations

import errno
import os
import stat

_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


def folder_exists(path: str) -> bool:
    """Return whether a folder is at `path`.

    Raise OSError where that cannot be told, for which `os.path.isdir` says no.
    """
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError) as error:
        if says_nothing_exists(error):
            return False
        raise
    return stat.S_ISDIR(mode)


def name_exists(path: str) -> bool:
    """Return whether anything has the name `path`, a symlink too.

    Raise OSError where that cannot be told, for which `os.path.lexists` says no.
    """
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True


def says_nothing_exists(error: OSError | ValueError) -> bool:
    """Return whether a system call failed because nothing is there, or can be by such a name."""
    return isinstance(error, ValueError) or error.errno in _NOTHING_THERE
