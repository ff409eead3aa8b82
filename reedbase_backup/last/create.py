"""Making a backup: the whole base folder but its backups, by tar, as the baseline does."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from reedbase_backup.disk.base_lock import base_locked
from reedbase_backup.disk.durable import PartialFile, partial_file, remove_partial_files
from reedbase_backup.errors import CommandFailed, IoError
from reedbase_backup.last.list import SUFFIX, describe
from reedbase_backup.last.os_errors import reason, reported
from reedbase_backup.last.registry import BasePath
from reedbase_backup.last.types import BackupInfo


def create_backup(base_path: BasePath) -> BackupInfo:
    """Archive the base folder to `backups/{unix seconds}.tar.gz` and describe the archive.

    Members are named `{folder name}/…`; backups/ itself is left out (D1, D3).
    The archive appears whole and synced, or not at all (D2, D13). If the
    second has an archive already, the next free one is taken, so that none is
    lost and later ones stay newer (D4). Older archives stay (D5).

    Raise IoError (create_backup_dir, also for a base that does not exist,
    D6; get_basename; read_base_dir; write_backup; stat_backup), CommandFailed
    with what tar says, and LockTimeout while other backups of the base take too long.
    """
    return create_backup_at(base_path, time.time_ns())


def create_backup_at(base_path: BasePath, now_ns: int) -> BackupInfo:
    """Do what `create_backup` does, at `now_ns` (Unix nanoseconds)."""
    base = Path(base_path)
    with reported("create_backup_dir"):
        os.scandir(base).close()  # is there, and a folder
    if base.name in ("", ".."):
        raise IoError("get_basename", "Invalid base path")
    folder = os.path.join(os.path.realpath(base), "backups")
    with base_locked(str(base)), reported("create_backup_dir"):
        if os.path.lexists(folder):
            os.makedirs(folder, exist_ok=True)  # or FileExistsError: it is no folder
            remove_partial_files(folder)
        with partial_file(folder) as archive:
            _run_tar(base, archive.file)
            with reported("write_backup"):
                timestamp = _publish(archive, now_ns // 10**9)
            return describe(base / "backups" / f"{timestamp}{SUFFIX}", timestamp)


def _publish(archive: PartialFile, second: int) -> int:
    """Name the archive by `second` or the next free one, and return that."""
    while True:
        try:
            archive.publish(f"{second}{SUFFIX}")
        except FileExistsError:
            second += 1
        else:
            return second


def _run_tar(base: Path, archive: IO[bytes]) -> None:
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
        raise CommandFailed("tar", reason(error)) from error
    if done.returncode != 0:
        raise CommandFailed("tar", done.stderr.decode("utf-8", "replace"))


def _members(base: Path) -> Iterator[str]:
    """Yield what to archive, relative to the base's parent: everything but backups/, folders first.

    A base that is a symlink has no member of its own, or tar would archive the link.
    """
    if not base.is_symlink():
        yield base.name
    folders = [(str(base), base.name)]
    while folders:
        path, member = folders.pop()
        with reported("read_base_dir"), os.scandir(path) as scan:
            entries = sorted(scan, key=lambda entry: entry.name)
        for entry in entries:
            if entry.name == "backups" and member == base.name:
                continue
            name = f"{member}/{entry.name}"
            yield name
            if entry.is_dir(follow_symlinks=False):
                folders.append((entry.path, name))
