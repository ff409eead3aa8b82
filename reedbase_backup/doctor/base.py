"""The base itself: its locks, what calls that were cut off have left, its room."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator

from reedbase_backup.disk.table_lock import LOCK_NAME
from reedbase_backup.doctor.finding import Finding, at, command
from reedbase_backup.sizes import bytes_in, live_bytes
from reedbase_backup.swap.working_folders import commit_name, staging_name, tokens
from reedbase_backup.undo import replaced

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_busy(base: str) -> bool:
    """Return whether a backup or restore of the base is at work."""
    return _is_locked(base, _FOLDER)


def locks(base: str) -> Iterator[Finding]:
    """Find the locks that are held on the base and on its tables."""
    if is_busy(base):
        yield Finding(
            "base-locked",
            False,
            "",
            f"a backup or restore of it is at work{_holder(base)}",
            "another one waits for up to 30 s, and fails then",
            "wait for it to end",
        )
    for table in names_in(at(base, "tables")):
        path = at(base, "tables", table, LOCK_NAME)
        if _is_locked(path, _FILE):
            yield Finding(
                "table-locked",
                False,
                f"tables/{table}",
                f"a writer holds its lock{_holder(path)}",
                "a backup or restore waits for up to 10 s, and fails then",
                "let the writer finish",
            )


def leftovers(base: str) -> Iterator[Finding]:
    """Find what restores that were cut off have left; one at work has the same."""
    found = tokens(base)
    for token in found.committed:
        yield Finding(
            "restore-cut-off",
            True,
            commit_name(token),
            "a restore was cut off midway",
            "the next create or restore completes it, or undoes it, whole",
            command("reedbackup", "create", base),
        )
    for token in found.staging:
        yield Finding(
            "restore-leftover",
            False,
            staging_name(token),
            "a restore was cut off before it changed anything, or after it was done",
            "the next create or restore removes what it left",
            command("reedbackup", "create", base),
        )


def kept(base: str, now: int) -> Iterator[Finding]:
    """Find what the last restore that was undoable has kept."""
    found = replaced(base)
    if found is not None:
        where = at(base, found.folder)
        yield Finding(
            "restore-undoable",
            False,
            found.folder,
            f"it keeps what the restore of {now - found.at} s ago replaced,"
            f" {bytes_in(*(at(base, root) for root in found.roots.values()))} bytes",
            "it stays until it is brought back, or the next restore with --undoable keeps another",
            f"{command('reedbackup', 'restore', base, '--undo')} brings it back; to have its room:"
            f" {command('rm', '-r', where)}",
        )


def room(base: str) -> Iterator[Finding]:
    """Find whether a restore, which needs the trees twice for a while, has room."""
    free, needed = shutil.disk_usage(base).free, live_bytes(base)
    if free < needed:
        yield Finding(
            "little-room",
            True,
            "",
            f"{free} bytes are free on its disk, and its tables and indices take {needed}",
            "a restore that has to write them all fails, and changes nothing",
            "make room on that disk",
        )


def roots(base: str) -> Iterator[Finding]:
    """Find whether tables/ is there."""
    if not os.path.lexists(at(base, "tables")):
        yield Finding(
            "no-tables",
            True,
            "tables",
            "it is missing",
            "a backup fails; a restore brings it back",
            command("reedbackup", "restore", base, "--to", "latest"),
        )


def names_in(folder: str) -> list[str]:
    """Return the names in a folder, in order; none where there is no folder to look into."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _is_locked(path: str, flags: int) -> bool:
    """Return whether somebody else keeps a writer's lock: asked for a moment, never waited for."""
    try:
        descriptor = os.open(path, flags)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno in (errno.EAGAIN, errno.EACCES)
    finally:
        os.close(descriptor)
    return False


def _holder(path: str) -> str:
    """Return in words which process holds the lock, where the system tells."""
    try:
        found = os.stat(path)
        with open("/proc/locks") as file:
            lines = [line.split() for line in file]
    except OSError:
        return ""
    place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
    holders = [words[4] for words in lines if words[1] == "FLOCK" and words[5] == place]
    return f" (process {', '.join(holders)})" if holders else ""
