"""Plain archives for the suite: what tarfile and gzip make of the same tree, byte for byte."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from pytest_reedbackup.databases.archives import TarFormat, pack
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import SMALL


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / ".reed"
    build(SMALL, base)
    table = base / "tables" / "text"
    (table / ("a name of more than a hundred bytes " * 4)).write_bytes(b"long")
    (table / "umlaut ä and no UTF-8 \udcff").write_bytes(b"")
    os.link(table / "current.csv", base / "indices" / "a second name")
    (table / "a symlink").symlink_to("current.csv")
    (table / "current.csv").chmod(0o4640)
    os.utime(table / "current.csv", ns=(0, 1_700_000_000_999_999_999))
    return base


def packed_by_tarfile(base: Path, name: str, tar_format: TarFormat) -> bytes:
    packed = io.BytesIO()
    with (
        gzip.GzipFile(name, "wb", fileobj=packed, mtime=0) as plain,
        tarfile.open(
            fileobj=plain, mode="w", format=tar_format, encoding="utf-8", errors="surrogateescape"
        ) as tar,
    ):
        for root in ("tables", "indices"):
            tar.add(base / root, root, filter=nobodys)
    return packed.getvalue()


def nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.pax_headers = {"mtime": str(member.mtime)}
    member.mtime = int(member.mtime)
    return member


@pytest.mark.parametrize("name", ["1700000000.tar.gz", "no suffix", "é.tar.gz", "١٢.tar.gz"])
@pytest.mark.parametrize("tar_format", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_packed_tree_is_what_tarfile_makes_of_it(
    base: Path, tmp_path: Path, name: str, tar_format: TarFormat
) -> None:
    archive = pack(base, tmp_path / "of" / name, tar_format=tar_format)
    assert archive.read_bytes() == packed_by_tarfile(base, name, tar_format)


def test_a_tree_is_packed_as_it_is_by_now(base: Path, tmp_path: Path) -> None:
    archive = tmp_path / "1.tar.gz"
    contents = set()
    for content in (b"one", b"two", b"one"):
        (base / "tables" / "text" / "current.csv").write_bytes(content)
        os.utime(base / "tables" / "text" / "current.csv", ns=(0, 0))
        contents.add(pack(base, archive).read_bytes())
        assert archive.read_bytes() == packed_by_tarfile(base, "1.tar.gz", tarfile.GNU_FORMAT)
    assert len(contents) == 2


def test_what_nobody_may_wait_for_is_not_packed(base: Path, tmp_path: Path) -> None:
    os.mkfifo(base / "tables" / "text" / "fifo")
    with pytest.raises(ValueError, match="fifo is no file, folder or symlink"):
        pack(base, tmp_path / "1.tar.gz")
