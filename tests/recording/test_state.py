"""The digest of a base: the same wherever the same database is, and another for any other."""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.recording.state import digest


def database(around: Path, *, level: int = 6, seconds: int = 5, owner: int = 0) -> Path:
    """A base with an archive of it, as packed at a time, by a user, on a machine."""
    base = around / ".reed"
    table = base / "tables" / "text"
    table.mkdir(parents=True)
    (table / "current.csv").write_text("key|value\n")
    (table / "link").symlink_to(around / "outside")
    (base / "backups").mkdir()

    def of_the_moment(member: tarfile.TarInfo) -> tarfile.TarInfo:
        member.uid, member.uname, member.mtime = owner, f"user {owner}", seconds
        return member

    with (
        gzip.GzipFile(base / "backups" / "5.tar.gz", "wb", level, mtime=seconds) as file,
        tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar,
    ):
        tar.add(base / "tables", "tables", filter=of_the_moment)
        absolute = tarfile.TarInfo(str(around / "x" / ("y" * 90)))
        tar.addfile(of_the_moment(absolute))
    shutil.copy(base / "backups" / "5.tar.gz", base / "backups" / "5.tar.gz.bak")
    for path in (table, table / "current.csv"):
        os.utime(path, (seconds, seconds))
    return base


def state(around: Path) -> str:
    return digest(around / ".reed", around)


def test_time_owner_compressor_and_place_make_no_difference(tmp_path: Path) -> None:
    database(tmp_path / "one" / "here")
    elsewhere = tmp_path / "another folder with a longer name" / "there"
    database(elsewhere, level=1, seconds=1_700_000_000, owner=1000)
    assert state(tmp_path / "one" / "here") == state(elsewhere)


def content(base: Path) -> None:
    (base / "tables/text/current.csv").write_text("key|other\n")


def mode(base: Path) -> None:
    (base / "tables/text/current.csv").chmod(0o600)


def name(base: Path) -> None:
    (base / "tables/text").rename(base / "tables/users")


def kind(base: Path) -> None:
    (base / "tables/text/current.csv").unlink()
    (base / "tables/text/current.csv").mkdir()


def link(base: Path) -> None:
    (base / "tables/text/link").unlink()
    (base / "tables/text/link").symlink_to("elsewhere")


def empty_folder(base: Path) -> None:
    (base / "indices").mkdir()


def cut_archive(base: Path) -> None:
    archive = base / "backups/5.tar.gz"
    archive.write_bytes(archive.read_bytes()[:-1])


def second_member(base: Path) -> None:
    archive = base / "backups/5.tar.gz"
    archive.write_bytes(archive.read_bytes() + gzip.compress(b""))


def packed_content(base: Path) -> None:
    archive = base / "backups/5.tar.gz"
    plain = gzip.decompress(archive.read_bytes())
    archive.write_bytes(gzip.compress(plain.replace(b"key|value", b"key|other")))


def none_at_all(base: Path) -> None:
    shutil.rmtree(base)


@pytest.mark.parametrize(
    "change",
    [
        content,
        mode,
        name,
        kind,
        link,
        empty_folder,
        cut_archive,
        second_member,
        packed_content,
        none_at_all,
    ],
)
def test_any_other_difference_does(tmp_path: Path, change: Callable[[Path], None]) -> None:
    around = tmp_path / "a" / "b"
    base = database(around)
    before = state(around)
    change(base)
    assert state(around) != before


@pytest.mark.parametrize("size", [b"not a number", b"-00000000001", b"\xff" * 12, b"77777777777\0"])
def test_an_archive_with_an_absurd_size_is_a_state_too(tmp_path: Path, size: bytes) -> None:
    base = database(tmp_path / "a" / "b")
    archive = base / "backups/5.tar.gz"
    plain = bytearray(gzip.decompress(archive.read_bytes()))
    plain[124:136] = size
    archive.write_bytes(gzip.compress(bytes(plain)))
    assert len(state(tmp_path / "a" / "b")) == 32
