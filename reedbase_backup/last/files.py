"""A table's files, whole and on disk before a call returns (the port's answer to D13)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

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
    lock, so that nobody else uses the temporary file beside it.
    """
    path = Path(os.path.realpath(path))
    temporary = path.with_name(f"{path.name}.new.tmp")
    temporary.unlink(missing_ok=True)
    write_new(temporary, content, like=path)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    sync_file(str(path.parent))


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
