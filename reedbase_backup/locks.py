"""flock on the base folder and on tables, in the way the database's own writers use it."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import stat
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from reedbase_backup.durable import NO_HARD_LINKS, sync_tree
from reedbase_backup.errors import IoError, LockTimeout, translated
from reedbase_backup.presence import is_folder, says_nothing_is_there

BASE_TIMEOUT_SECS = 30
"""How long a call waits for another backup or restore of the same base."""

TABLE_TIMEOUT_SECS = 10
"""How long a backup waits for a table's writer; `last/` itself gives up after about 5 s."""

_POLL_SECS = 0.005
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# There is none, or it is closed to us, a symlink or a socket: a backup's walk
# then refuses it by name, and a restore replaces it.
_NO_LOCK = (errno.ENOENT, errno.EACCES, errno.ELOOP, errno.ENXIO, errno.EOPNOTSUPP)
# A file or symlink, gone, or what nobody without more rights than ours writes to.
_NO_TABLE = (errno.ENOTDIR, errno.ELOOP, errno.ENOENT, errno.EACCES)


def open_base(base_path: str) -> int:
    """A descriptor of the base folder.

    Raises IoError where `base_path` is missing or no folder.
    """
    try:
        return os.open(base_path, _FOLDER)
    except (OSError, ValueError) as error:
        if not says_nothing_is_there(error):
            raise
        raise IoError(
            "open_base", f"{base_path} is not a folder; give the path of a .reed database"
        ) from error


@contextmanager
def base_locked(base_path: str) -> Iterator[None]:
    """Holds the base for one backup or restore at a time.

    The lock is on the folder itself, so that it leaves no file behind.
    Raises IoError where the base is missing, LockTimeout where another process
    keeps it for BASE_TIMEOUT_SECS.
    """
    with translated("open_base", base_path):
        descriptor = open_base(base_path)
    try:
        with translated("lock_base", base_path):
            _flock(descriptor, fcntl.LOCK_EX, base_path, BASE_TIMEOUT_SECS)
        yield
    finally:
        _release(descriptor)


@contextmanager
def table_locked(folder: int, name: str) -> Iterator[bool]:
    """Holds table `name`'s `.lock`, if it has one; yields whether it has.

    `folder` is the table folder's descriptor. A shared lock keeps out writers,
    which take exclusive ones. No lock file is made: the source stays untouched.
    """
    try:
        descriptor = os.open(
            ".lock", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder
        )
    except OSError as error:
        if error.errno not in _NO_LOCK:
            raise
        yield False
        return
    try:
        lockable = stat.S_ISREG(os.fstat(descriptor).st_mode)
        if lockable:
            _flock(descriptor, fcntl.LOCK_SH, name, TABLE_TIMEOUT_SECS)
        yield lockable
    finally:
        _release(descriptor)


def has_lock(folder: int) -> bool:
    """Whether the table whose folder is open as `folder` has a `.lock` by now."""
    try:
        return stat.S_ISREG(os.stat(".lock", dir_fd=folder, follow_symlinks=False).st_mode)
    except FileNotFoundError:
        return False


@contextmanager
def tables_locked(tables: str) -> Iterator[None]:
    """Holds the `.lock` of every table in the folder `tables`, so that no writer is midway."""
    with ExitStack() as held:
        for name in _names(tables):
            try:
                folder = os.open(os.path.join(tables, name), _FOLDER | os.O_NOFOLLOW)
            except OSError as error:
                if error.errno in _NO_TABLE:
                    continue
                raise
            _allow_descriptors(folder)
            try:
                held.enter_context(table_locked(folder, f"tables/{name}"))
            finally:
                os.close(folder)
        yield


def keep_locks(live: str, staged: str) -> None:
    """Gives the tables of the folder `staged` the lock files of those in `live`, durably.

    A writer that waits for a live `.lock` while the trees are swapped must end up
    with the one that everybody else then takes. Both are empty, so nothing is lost;
    one that differs in mode or owner, or holds anything, stays as it was backed up.
    """
    kept = []
    # Beside the staged folder, where no table can have a file of that name.
    link = os.path.join(os.path.dirname(staged), ".lock")
    for name in _names(staged) if is_folder(live, follow_symlinks=False) else ():
        source, target = os.path.join(live, name, ".lock"), os.path.join(staged, name, ".lock")
        try:
            # A symlink leads out of the database.
            is_table = is_folder(os.path.dirname(source), follow_symlinks=False)
            if is_table and _are_alike(source, target):
                _replace_by_link(source, link, target)
                kept.append(name)
        except OSError as error:
            # The system lets not everybody link to everybody's files.
            if error.errno not in (errno.EACCES, *NO_HARD_LINKS):
                raise
    if kept:
        sync_tree(staged, kept)


def _names(folder: str) -> list[str]:
    """What is in `folder`, in order; nothing where it is none, or closed to us."""
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return []


def _replace_by_link(source: str, link: str, target: str) -> None:
    """Makes `target` the same file as `source`, with the times of what it replaces.

    `link` is the name that the file has between the two.
    """
    times = [(path, os.stat(path)) for path in (target, os.path.dirname(target))]
    os.link(source, link, follow_symlinks=False)
    os.rename(link, target)
    for path, status in times:
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def _are_alike(one: str, other: str) -> bool:
    """Whether both are empty regular files of one mode and owner."""
    try:
        found, wanted = os.lstat(one), os.lstat(other)
    except (FileNotFoundError, NotADirectoryError):
        return False
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_size == wanted.st_size == 0
        and (found.st_mode, found.st_uid, found.st_gid)
        == (wanted.st_mode, wanted.st_uid, wanted.st_gid)
    )


def _allow_descriptors(highest: int) -> None:
    """Makes room for one lock a table, where a database has very many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if highest + 64 > soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _release(descriptor: int) -> None:
    # Nothing was written through it: whatever happens here, the lock is free.
    with suppress(OSError):
        os.close(descriptor)


def _flock(descriptor: int, operation: int, name: str, timeout_secs: int) -> None:
    deadline = time.monotonic() + timeout_secs
    while True:
        try:
            fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise LockTimeout(name, timeout_secs) from None
            time.sleep(_POLL_SECS)
        else:
            return
