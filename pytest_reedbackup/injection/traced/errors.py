"""Which errors a kind of system call can give, by the manual pages of Linux (section 2).

An error that a page does not name for a call is left out: an implementation that did not foresee
it has overlooked nothing. EIO stands for all that a disk or a network may say at any time.
"""

from __future__ import annotations

from collections.abc import Iterator

from pytest_reedbackup.injection.traced.points import ATTRIBUTES, SIZING, SYNCING
from pytest_reedbackup.injection.traced.strace import OPENS, RENAMES
from pytest_reedbackup.injection.traced.system_calls import (
    LINKING,
    LOOKING,
    MAKING_FOLDERS,
    REMOVING,
    WRITING,
)

# By a descriptor nothing is looked up, so that nobody is kept out.
_BY_DESCRIPTOR = ("ftruncate", "fallocate", "fchmod", "fchown", "fsetxattr")
_NAMED = {*OPENS, *MAKING_FOLDERS, *RENAMES, *LINKING, *REMOVING, *LOOKING, *ATTRIBUTES, *SIZING}
_NAMED -= set(_BY_DESCRIPTOR)
_TAKING_SPACE = {*OPENS, *MAKING_FOLDERS, *RENAMES, *LINKING, *WRITING, *SYNCING, "fallocate"}
_TAKING_SPACE |= {"setxattr", "fsetxattr", "lsetxattr"}
_WAITING = {
    *(*OPENS, *WRITING, "flock", "fsync", "fdatasync", "ftruncate", "fallocate"),
    *("read", "pread64", "readv", "preadv", "preadv2"),
}
# By these pages it gives none: it copies without waiting for anybody.
_WAITING -= {"copy_file_range"}

ONCE_ONLY = "EINTR"
"""The error after which everybody tries again, so that for good it would never end."""


def errors_of(call: str) -> Iterator[str]:
    """Yield the names of the errors that a system call is made to fail with.

    First comes the one that it meets most often, for who tries only that.
    """
    errors = ["EIO"]
    if call in _TAKING_SPACE:
        errors += ["ENOSPC", "EDQUOT"]
    if call in OPENS:
        errors += ["EMFILE"]
    if call in _NAMED:
        errors += ["EACCES"]
    if call in _WAITING:
        errors += [ONCE_ONLY]
    # A name that may not be looked up is foreseen by who moves it, and done otherwise.
    is_kept_out = call in _NAMED and call not in RENAMES
    usual = "ENOSPC" if call in WRITING else "EACCES" if is_kept_out else "EIO"
    return iter(sorted(errors, key=lambda error: error != usual))
