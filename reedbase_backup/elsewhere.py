"""Restoring a backup into a folder of its own, beside what is live."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from reedbase_backup import catalogue
from reedbase_backup.archive.reader import ArchiveReader, Contents
from reedbase_backup.catalogue import BackupName
from reedbase_backup.disk.base_lock import base_watched
from reedbase_backup.disk.durable import sync_folder
from reedbase_backup.disk.folders import opened, remove_tree
from reedbase_backup.errors import IoError, translated
from reedbase_backup.meter import Meter
from reedbase_backup.picks import Pick
from reedbase_backup.swap.extract import extract
from reedbase_backup.swap.links import LiveLinks
from reedbase_backup.swap.plan import Layout
from reedbase_backup.swap.working_folders import WorkingFolder, new_token
from reedbase_backup.types import BasePath, RestoreReport

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC


def restore_elsewhere(
    base_path: BasePath, pick: Pick, target_path: BasePath, meter: Meter | None = None
) -> tuple[BackupName, RestoreReport]:
    """Restore the backup to `pick` into the folder `target_path`, and return its name, too.

    The folder must not be there, or be empty; it appears whole, verified and durable, or not
    at all. The database stays as it is. A kill may leave a folder `.{name}.reedbackup-…`
    beside it. Raise what `pick` raises, BackupCorrupted, BackupUnsafe, PermissionDenied,
    LockTimeout, or IoError, also where something is there.
    """
    started = time.monotonic_ns()
    base, target = os.fsdecode(base_path), os.path.abspath(os.fsdecode(target_path))
    meter = meter or Meter()
    _check_free(target)
    with base_watched(base), translated("restore"):
        name = pick(catalogue.archive_names(base))
        with _appearing(target, stat.S_IMODE(os.stat(base).st_mode)) as folder:
            contents = _extracted(base, name, folder, os.path.dirname(target), meter)
    meter.settle()
    return name, RestoreReport(
        tables_restored=contents.table_count,
        total_bytes=contents.total_bytes,
        duration_ms=(time.monotonic_ns() - started) // 10**6,
    )


def _check_free(target: str) -> None:
    """Raise IoError at once for what would be refused in the end."""
    with translated("restore", target):
        if not os.path.lexists(target):
            return
        is_folder = os.path.isdir(target) and not os.path.islink(target)
        if not is_folder or os.listdir(target):
            raise IoError("restore_target", f"{target} is there already, and is no empty folder")


@contextmanager
def _appearing(target: str, mode: int) -> Iterator[int]:
    """Yield a new folder, which becomes `target` once it is filled; an error removes it."""
    above, own = os.path.split(target)
    parent = os.open(above, _FOLDER)
    try:
        name = f".{own}.reedbackup-{new_token()}"
        os.mkdir(name, 0o700, dir_fd=parent)
        try:
            with opened(parent, name) as folder:
                yield folder
                os.chmod(folder, mode)
            # Over an empty folder at most: a rename replaces no other.
            os.rename(name, own, src_dir_fd=parent, dst_dir_fd=parent)
        except BaseException:
            with suppress(OSError):
                remove_tree(parent, name)
            raise
        sync_folder(parent, above)
    finally:
        os.close(parent)


def _extracted(base: str, name: BackupName, folder: int, above: str, meter: Meter) -> Contents:
    layout, folders = Layout(frozenset()), [WorkingFolder(folder, folder, folder)]
    # Nothing is shared with what is live.
    links = LiveLinks(folder, layout, folders, None)
    with catalogue.open_archive(base, name) as file:
        meter.watch(file.tell)
        extraction = extract(ArchiveReader(file, name.file_name), above, layout, folders, links)
    extraction.complete()
    return extraction.contents
