"""A table's files, whole and on disk before a call returns (the port's answer to D13)."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from reedbase_backup.disk.durable import sync, sync_file, write_all


def write_new(path: Path, content: bytes, like: Path | None = None) -> None:
    """Create `path` with `content` and sync it; on any error there is no such file.

    It gets the mode and, where that is allowed, the owner of `like` if this exists.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o666)
    try:
        with os.fdopen(descriptor, "wb", buffering=0) as file:
            write_all(file.fileno(), content)
            if like is not None:
                _take_after(descriptor, like)
            sync(descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def replace(path: Path, content: bytes) -> None:
    """Give `path` new `content` at once; a reader or a crash finds the old or the new one.

    A symlink stays one, and what it points to is replaced. The caller holds a
    lock, so that nobody else uses the temporary file beside it. After an error
    the content is the old one, as far as that can still be brought about.
    """
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f"{path.name}.new.tmp")
    temporary.unlink(missing_ok=True)
    write_new(temporary, content, like=path)
    try:
        publish(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def publish(temporary: Path, path: Path) -> None:
    """Give `temporary`, which is synced, the name `path`, durably; after an error as `replace`."""
    with _opened(path) as old:
        temporary.replace(path)
        try:
            sync_file(str(path.parent))
        except BaseException:
            # The error to report is the first one.
            with contextlib.suppress(OSError):
                if old is None:
                    path.unlink()
                else:
                    write_new(temporary, old.read(), like=path)
                    temporary.replace(path)
            raise


def content_of_regular(path: Path) -> bytes | None:
    """Return what the file holds; None where nothing or anything but a file has the name."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ELOOP):
            return None
        raise
    with os.fdopen(descriptor, "rb") as file:
        return file.read() if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[IO[bytes] | None]:
    """Open the file that is about to be replaced, if there is one."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None
    else:
        with file:
            yield file


def _take_after(descriptor: int, like: Path) -> None:
    try:
        wanted = like.stat()
    except FileNotFoundError:
        return
    os.fchmod(descriptor, wanted.st_mode & 0o7777)
    mine = os.fstat(descriptor)
    if (mine.st_uid, mine.st_gid) != (wanted.st_uid, wanted.st_gid):
        # Only root may give files away; for others the content matters more.
        with contextlib.suppress(PermissionError):
            os.fchown(descriptor, wanted.st_uid, wanted.st_gid)
