"""Which backup before a new one files are taken over from, and what is wrong with it."""

from __future__ import annotations

import errno
import gzip
import io
import os
import shutil
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from reference.create.reuse import (
    archive_of,
    assert_equals_reading,
    everything,
    files_read,
    newest,
    read_by_a_backup,
    wait_a_tick,
)
from reference.restore.live import rewrite

from reedbase_backup import catalogue, create_backup, list_backups, restore_point_in_time
from reedbase_backup.archive import gzip_header
from reedbase_backup.archive.gzip_header import Summary
from reedbase_backup.archive.reuse import index, origin
from reedbase_backup.catalogue import BackupName
from reedbase_backup.types import U64_MAX as FOREVER
from reedbase_backup.verify import verify


def _copied(archive: Path) -> None:
    """With all that `cp -a` keeps."""
    shutil.copy2(archive, archive.with_name("copy"))
    archive.with_name("copy").replace(archive)


def _of_another(archive: Path) -> None:
    os.chown(archive, 4242, -1)


@pytest.mark.parametrize(
    "spoil",
    [
        _copied,
        pytest.param(
            _of_another, marks=pytest.mark.skipif(os.geteuid() != 0, reason="only root may")
        ),
        lambda archive: archive.chmod(0o620),
        lambda archive: archive.chmod(0o602),
        lambda archive: archive.unlink(),
        lambda archive: archive.write_bytes(b""),
    ],
    ids=["copied", "of another", "group may write", "others may write", "gone", "empty"],
)
def test_from_an_archive_that_another_may_have_made_nothing_is_taken_over(
    backed_up: Path, spoil: Callable[[Path], object]
) -> None:
    spoil(newest(backed_up))
    assert sorted(read_by_a_backup(backed_up)) == everything(backed_up)


def test_from_a_backup_of_another_base_nothing_is_taken_over(
    backed_up: Path, tmp_path: Path
) -> None:
    """Not even where it has the very files, and its archive the very inode."""
    other = tmp_path / "other"
    other.mkdir()
    for name in ("tables", "indices", "backups"):
        (backed_up / name).rename(other / name)
    assert sorted(read_by_a_backup(other)) == everything(other)


def test_by_a_clock_that_went_back_nothing_is_taken_over(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = origin.decode
    later = lambda content: real(content)._replace(began_ns=1 << 62)  # noqa: E731
    monkeypatch.setattr(origin, "decode", later)
    assert sorted(read_by_a_backup(backed_up)) == everything(backed_up)


def test_a_large_file_that_is_damaged_at_its_end_is_read_instead(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was copied of it by then goes again."""
    (base / "tables" / "text" / "large").write_bytes(os.urandom(3 << 20))
    wait_a_tick()
    archive = archive_of(base, create_backup(base))
    assert read_by_a_backup(base) == []
    list(map(Path.unlink, set((base / "backups").iterdir()) - {archive}))
    damaged = bytearray(archive.read_bytes())
    # The rest of the archive is some KB.
    damaged[-30_000] ^= 1
    with archive.open("r+b") as file:
        file.write(damaged)
    assert set(read_by_a_backup(base)) == {"tables/text/large"}


def without_index(archive: Path) -> None:
    """Make it as archives were before there was an index."""
    plain = gzip.decompress(archive.read_bytes())
    content = plain[: plain.index(index.NAME)] + bytes(1024)
    deflate = zlib.compressobj(wbits=-15)
    body = deflate.compress(content) + deflate.flush()
    body += gzip_header.TRAILER.pack(zlib.crc32(content), len(content))
    tables = list_backups(archive.parent.parent)[0].table_count
    header = gzip_header.encode(Summary(36 + len(body), tables, zlib.crc32(body)))
    assert len(header) == 36
    archive.write_bytes(header + body)


def test_an_archive_from_before_there_was_an_index_is_listed_verified_and_restored(
    backed_up: Path,
) -> None:
    before = {path: path.read_bytes() for path in backed_up.glob("tables/*/*") if path.is_file()}
    tables = list_backups(backed_up)[0].table_count
    without_index(newest(backed_up))

    assert [info.table_count for info in list_backups(backed_up)] == [tables]
    assert [one.is_sound for one in verify(backed_up)] == [True]
    assert sorted(read_by_a_backup(backed_up)) == everything(backed_up)
    rewrite(backed_up / "tables" / "text" / "current.csv")
    list(map(Path.unlink, [newest(backed_up)]))
    restore_point_in_time(backed_up, FOREVER)
    assert {path: path.read_bytes() for path in before} == before


class BadDisk(io.BufferedReader):
    """A file that cannot be read any more where it is sought in once more than `spared`."""

    spared = 0

    def seek(self, target: int, whence: int = os.SEEK_SET, /) -> int:
        self.spared -= 1
        return super().seek(target, whence)

    def read(self, size: int | None = -1, /) -> bytes:
        if self.spared < 0:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return super().read(size)


def test_a_predecessor_that_cannot_be_read_any_more_is_no_error(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a bad sector."""
    opened = catalogue.open_archive
    for spared in (0, 1):
        # The first is of the index.
        def open_archive(path: str, name: BackupName, spared: int = spared) -> BadDisk:
            file = opened(path, name)
            assert isinstance(file, io.BufferedReader)
            bad = BadDisk(file.detach())
            bad.spared = spared
            return bad

        with monkeypatch.context() as patched, files_read() as names:
            patched.setattr(catalogue, "open_archive", open_archive)
            made = create_backup(backed_up)
        assert sorted(names) == everything(backed_up)
        assert_equals_reading(backed_up, made)


def test_an_index_of_no_archive_of_its_size_is_none(backed_up: Path) -> None:
    with newest(backed_up).open("rb") as file:
        summary = gzip_header.read_summary(file)
        assert summary is not None
        assert summary.index is not None
        content = index.read(file, summary.index)
    assert index.Index(content, summary.file_size)
    for other, size in ((content, 100), (content[:-1], summary.file_size), (b"", 10**9)):
        with pytest.raises(index.IndexDamaged):
            index.Index(other, size)


def test_a_predecessor_is_looked_for_among_all_backups(backed_up: Path) -> None:
    """The newest may be another's."""
    for number in range(3):
        shutil.copy2(newest(backed_up), backed_up / "backups" / f"{2**40 + number}.tar.gz")
    assert read_by_a_backup(backed_up) == []
