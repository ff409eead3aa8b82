"""Whose fault it is that something is not there to be read.

What is in a database that an implementation was called on, the kit built and
the implementation changed, nobody else. Where a case then finds a file or folder
missing, unreadable, or of another kind, it is the implementation that left it
so: an archive that create reported, a table that restore brought back.
"""

from __future__ import annotations

import errno
from collections.abc import Collection
from pathlib import Path

from pytest_reedbackup.implementations.answers import Answer, Answered
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from reedbase_backup.adapter.protocol import LastBackup

# What is wrong with a name, and not with the disk or the machine.
_OF_A_NAME = frozenset(
    {
        errno.EACCES,
        errno.EEXIST,
        errno.EISDIR,
        errno.ELOOP,
        errno.ENAMETOOLONG,
        errno.ENOENT,
        errno.ENOTDIR,
        errno.ENOTEMPTY,
        errno.ENXIO,
        errno.EPERM,
    }
)


def blamed_on_implementation(
    error: OSError, bases: Collection[Path], reported: Collection[str]
) -> BrokenPromise | None:
    """Return the promise that an error shows to be broken; None where it is another's fault.

    `bases` are the databases that it was called on, `reported` the paths that
    it answered with.
    """
    if error.errno not in _OF_A_NAME:
        return None
    for name in (error.filename, error.filename2):
        if not isinstance(name, str | bytes | Path):
            continue
        path = Path(name.decode("utf-8", "surrogateescape") if isinstance(name, bytes) else name)
        if str(path) in reported:
            return _broken(str(path), error)
        for base in bases:
            # Where the kit's own folder is gone, somebody else has been at it.
            if path.is_relative_to(base) and base.parent.is_dir():
                return _broken(str(path.relative_to(base)), error)
    return None


def _broken(name: str, error: OSError) -> BrokenPromise:
    return BrokenPromise(
        f"{name!r} in the database, after the calls before",
        expected="a file or folder that can be used as what it was reported to be",
        found=f"{type(error).__name__}: {error.strerror}",
        cause=Cause.TREE,
    )


def paths_in(answer: Answer) -> set[str]:
    """Return the archives' paths that contract `last` answers with."""
    if not isinstance(answer, Answered):
        return set()
    value = answer.value if answer.untranslated is None else answer.untranslated
    infos = value if isinstance(value, list) else [value]
    return {info.path for info in infos if isinstance(info, LastBackup)}
