"""list_backups of contract last: whole archives, newest first."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import IO

import pytest

from reedbase_backup.disk import change_times
from reedbase_backup.errors import IoError
from reedbase_backup.last import list as list_module
from reedbase_backup.last import list_backups

ARCHIVE = gzip.compress(os.urandom(500))


def put(base: Path, name: str, content: bytes = ARCHIVE) -> Path:
    path = base / "backups" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


def stamps(base: Path) -> list[int]:
    return [info.timestamp for info in list_backups(base)]


def test_no_backups_are_an_empty_list_and_nothing_is_made(tmp_path: Path) -> None:
    assert list_backups(tmp_path / "no base") == []
    assert list_backups(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_archives_come_newest_first_and_equal_ones_by_name(tmp_path: Path) -> None:
    for name in ("5", "100", "+5", "20", "005", "18446744073709551615"):
        put(tmp_path, f"{name}.tar.gz")
    names = [info.path.name.removesuffix(".tar.gz") for info in list_backups(tmp_path)]
    assert names == ["18446744073709551615", "100", "20", "+5", "005", "5"]


@pytest.mark.parametrize(
    "name",
    ["x", "", "-3", "1.5", " 9", "9 ", "1_0", "+", "18446744073709551616", "5.tar.gz", "\u0665"],
)
def test_names_that_are_no_u64_are_passed_over(name: str, tmp_path: Path) -> None:
    put(tmp_path, f"{name}.tar.gz")
    assert list_backups(tmp_path) == []


@pytest.mark.parametrize("name", ["5.gz", "5.tar", "5.tgz", "5.TAR.GZ", "5.tar.gz.bak", "5"])
def test_other_suffixes_are_passed_over(name: str, tmp_path: Path) -> None:
    put(tmp_path, name)
    assert list_backups(tmp_path) == []


def test_every_shortened_archive_is_left_out(tmp_path: Path) -> None:
    for length in range(0, len(ARCHIVE), 7):
        put(tmp_path, f"{length}.tar.gz", ARCHIVE[:length])
    put(tmp_path, f"{len(ARCHIVE)}.tar.gz")
    assert stamps(tmp_path) == [len(ARCHIVE)]


def test_every_flipped_byte_of_the_data_or_its_checksum_is_noticed(tmp_path: Path) -> None:
    # Bytes 3 to 9 say how and when it was made, and 10 has padding: no checksum covers them.
    for position in [0, 1, 2, *range(11, len(ARCHIVE), 5), *range(len(ARCHIVE) - 8, len(ARCHIVE))]:
        damaged = bytearray(ARCHIVE)
        damaged[position] ^= 0x10
        put(tmp_path, f"{position}.tar.gz", bytes(damaged))
    assert stamps(tmp_path) == []


def test_an_archive_damaged_after_it_was_listed_is_left_out(tmp_path: Path) -> None:
    path = put(tmp_path, "5.tar.gz")
    assert stamps(tmp_path) == [5]
    damaged = bytearray(ARCHIVE)
    damaged[100] ^= 1
    path.write_bytes(damaged)
    assert stamps(tmp_path) == []


@pytest.mark.parametrize("settled", [True, False])
def test_an_archive_is_read_once_if_a_later_change_would_show(
    settled: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "5.tar.gz")
    read: list[IO[bytes]] = []
    check = list_module._is_whole_gzip

    def counting(archive: IO[bytes]) -> bool:
        read.append(archive)
        return check(archive)

    monkeypatch.setattr(list_module, "_is_whole_gzip", counting)
    monkeypatch.setattr(change_times, "TICK_NS", -(10**9) if settled else 3600 * 10**9)
    monkeypatch.setattr(change_times, "_COARSEST_NS", 3600 * 10**9)
    assert [stamps(tmp_path) for _ in range(3)] == [[5]] * 3
    assert len(read) == (1 if settled else 3)


def test_folders_pipes_and_dangling_links_are_left_out(tmp_path: Path) -> None:
    put(tmp_path, "1.tar.gz")
    backups = tmp_path / "backups"
    (backups / "2.tar.gz").mkdir()
    os.mkfifo(backups / "3.tar.gz")
    (backups / "4.tar.gz").symlink_to("nowhere")
    (backups / "5.tar.gz").symlink_to("5.tar.gz")
    assert stamps(tmp_path) == [1]


def test_a_link_to_an_archive_is_listed_with_its_own_size(tmp_path: Path) -> None:
    put(tmp_path, "1.tar.gz")
    (tmp_path / "backups" / "2.tar.gz").symlink_to("1.tar.gz")
    newest, _ = list_backups(tmp_path)
    assert (newest.timestamp, newest.size_bytes) == (2, len("1.tar.gz"))
    assert newest.size_mb == 8 / 1048576


def test_a_file_in_the_place_of_backups_is_an_io_error(tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("x")
    with pytest.raises(IoError) as caught:
        list_backups(tmp_path)
    assert caught.value.fields == {
        "operation": "read_backup_dir",
        "reason": "Not a directory (os error 20)",
    }
