"""Making a backup: the whole base folder but its backups, by tar, as the baseline does."""

from __future__ import annotations

import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from ..errors import CommandFailed, IoError
from . import durable, locks
from .list import SUFFIX, describe
from .os_errors import reason, reported
from .registry import BasePath
from .types import BackupInfo

# Not an archive's name, so neither this module nor the baseline lists it.
UNFINISHED = ".unfinished"


def create_backup(base_path: BasePath) -> BackupInfo:
    """Archive the base folder to `backups/{unix seconds}.tar.gz` and describe the archive.

    Members are named `{folder name}/…`; backups/ itself is left out (D1, D3).
    The archive appears whole and synced, or not at all (D2, D13). If the
    second has an archive already, the next free one is taken, so that none is
    lost and later ones stay newer (D4). Older archives stay (D5).

    Raises IoError (create_backup_dir, also for a base that does not exist,
    D6; get_basename; read_base_dir; write_backup; stat_backup), CommandFailed
    with what tar says, and PermissionDenied or LockTimeout for backups/.
    """
    return create_backup_at(base_path, time.time_ns())


def create_backup_at(base_path: BasePath, now_ns: int) -> BackupInfo:
    """As `create_backup`, at `now_ns` (Unix nanoseconds)."""
    base = Path(base_path)
    with reported("create_backup_dir"):
        os.scandir(base).close()  # is there, and a folder
    if base.name in ("", ".."):
        raise IoError(operation="get_basename", reason="Invalid base path")
    with ExitStack() as undo:
        backups = _backups_folder(base, undo)
        with _unfinished(backups) as archive:
            _run_tar(base, archive)
            with reported("write_backup"):
                durable.sync(archive.fileno())
            with locks.exclusive(backups, "backups"), reported("write_backup"):
                timestamp = _free_second(backups, now_ns // 10**9)
                path = backups / f"{timestamp}{SUFFIX}"
                Path(archive.name).replace(path)
                undo.callback(path.unlink, missing_ok=True)
                durable.sync_folder(backups)
        undo.pop_all()
        return describe(path, timestamp)


def _backups_folder(base: Path, undo: ExitStack) -> Path:
    """The base's backups/, made if missing, and then removed again if `undo` runs."""
    backups = base / "backups"
    with reported("create_backup_dir"):
        try:
            backups.mkdir()
        except FileExistsError:
            if not backups.is_dir():
                raise
        else:
            undo.callback(_remove_if_empty, backups)
            durable.sync_folder(base)
    return backups


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


@contextmanager
def _unfinished(backups: Path) -> Iterator[BinaryIO]:
    """A file in `backups` that is locked while it is written, and removed if that name stays."""
    with ExitStack() as stack:
        with locks.exclusive(backups, "backups"), reported("write_backup"):
            _remove_abandoned(backups)
            path = backups / f"{os.getpid()}-{time.monotonic_ns()}{UNFINISHED}"
            archive = stack.enter_context(path.open("xb"))
            stack.callback(path.unlink, missing_ok=True)
            fcntl.flock(archive, fcntl.LOCK_EX)
        yield archive


def _remove_abandoned(backups: Path) -> None:
    """Remove what killed backups left: files of that name which nobody holds locked."""
    for path in backups.glob(f"*{UNFINISHED}"):
        with path.open("rb") as file, suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            path.unlink()


def _free_second(backups: Path, second: int) -> int:
    while os.path.lexists(backups / f"{second}{SUFFIX}"):
        second += 1
    return second


def _run_tar(base: Path, archive: BinaryIO) -> None:
    """Have tar write the members of `base` to `archive`."""
    # The members are given one by one, because GNU tar and bsdtar agree on no
    # way to exclude exactly one folder. The archive is tar's standard output,
    # because GNU tar takes a path with a colon for a file on another machine.
    command = ["tar", "-czf", "-", "-C", str(base.parent), "--no-recursion", "--null", "-T", "-"]
    names = b"".join(os.fsencode(name) + b"\0" for name in _members(base))
    try:
        done = subprocess.run(
            command, input=names, stdout=archive, stderr=subprocess.PIPE, check=False
        )
    except OSError as error:
        raise CommandFailed(command="tar", error=reason(error)) from error
    if done.returncode != 0:
        raise CommandFailed(command="tar", error=done.stderr.decode("utf-8", "replace"))


def _members(base: Path) -> Iterator[str]:
    """What to archive, relative to the base's parent: everything but backups/, folders first.

    A base that is a symlink has no member of its own, or tar would archive the link.
    """
    if not base.is_symlink():
        yield base.name
    folders = [(str(base), base.name)]
    while folders:
        path, member = folders.pop()
        with reported("read_base_dir"), os.scandir(path) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name == "backups" and member == base.name:
                continue
            name = f"{member}/{entry.name}"
            yield name
            if entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, name))
