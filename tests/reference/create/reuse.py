"""Backups that take over what they can, held against backups that read everything."""

from __future__ import annotations

import stat
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

from reedbase_backup import create_backup, list_backups
from reedbase_backup.archive.reuse import index
from reedbase_backup.create import create_backup_at
from reedbase_backup.disk import source_entries
from reedbase_backup.types import BackupInfo
from reedbase_backup.verify import verify

NOW = 1_700_000_000


def wait_a_tick() -> None:
    """Let what was changed be older than a backup that begins now."""
    time.sleep(0.012)


def archive_of(base: Path, info: BackupInfo) -> Path:
    return base / "backups" / f"{info.id}.tar.gz"


def members(archive: Path) -> list[tuple[object, ...]]:
    """All of an archive but its index, which says where it is; and the archive's own mode."""
    with tarfile.open(archive) as tar:
        found = [
            (
                info.name,
                info.type,
                info.mode,
                info.mtime,
                (info.uid, info.gid),
                None if (file := tar.extractfile(info)) is None else file.read(),
            )
            for info in tar
            if info.name != index.NAME.decode()
        ]
    return [*found, (stat.S_IMODE(archive.stat().st_mode),)]


@contextmanager
def files_read() -> Iterator[list[str]]:
    """Yield the names of the files whose content is read meanwhile."""
    names: list[str] = []
    read = source_entries.read_some

    def seen(descriptor: int, size: int, name: str) -> bytes:
        names.append(name)
        return read(descriptor, size, name)

    with mock.patch.object(source_entries, "read_some", seen):
        yield names


def assert_equals_reading(base: Path, info: BackupInfo) -> None:
    """Hold a backup just made against one that takes nothing over, which goes again."""
    assert [one.damage for one in verify(base, [info.id])] == [None]
    read = archive_of(base, create_backup_at(base, NOW * 10**9, reuse=False))
    try:
        assert members(archive_of(base, info)) == members(read)
    finally:
        read.unlink()


def read_by_a_backup(base: Path) -> list[str]:
    """Return the files that the next backup reads, which is held against one that reads all."""
    with files_read() as names:
        made = create_backup(base)
    assert_equals_reading(base, made)
    return names


def everything(base: Path) -> list[str]:
    files = (path for root in ("tables", "indices") for path in (base / root).rglob("*"))
    return sorted(str(p.relative_to(base)) for p in files if p.is_file() and p.stat().st_size)


def newest(base: Path) -> Path:
    return archive_of(base, list_backups(base)[0])
