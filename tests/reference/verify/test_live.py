"""verify, if it is to be deep, reads what looks unchanged since a backup, and says what is not."""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import BackupAt, TakeSnapshot

from reedbase_backup import LockTimeout
from reedbase_backup.cli.commands import main
from reedbase_backup.disk import base_lock, table_lock
from reedbase_backup.verify import LiveCheck, verify

CURRENT = "tables/text/current.csv"


def checked(base: Path, *ids: str) -> LiveCheck:
    """Return what came of the live files of `base`, held against one backup."""
    (check,) = [one.live for one in verify(base, ids, deep=True) if one.live is not None]
    return check


def change_unseen(path: Path) -> None:
    """Change a file in place, of the same size, and put its times back."""
    before = path.stat()
    with path.open("r+b") as file:
        first = file.read(1)
        file.seek(0)
        file.write(bytes([first[0] ^ 1]))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


@pytest.mark.parametrize("name", [CURRENT, "indices/metadata.json", "tables/text/.lock"])
def test_a_file_changed_in_place_whose_times_were_put_back_is_named(
    base: Path, backup_at: BackupAt, name: str
) -> None:
    if not (base / name).stat().st_size:
        (base / name).write_bytes(b"something")
    backup_at(base, 1000)
    whole = checked(base)
    assert (whole.files > 2, whole.differing) == (True, [])
    change_unseen(base / name)
    assert checked(base) == LiveCheck(whole.files, [name])


def test_a_file_changed_through_a_map_is_named_where_its_time_says_nothing(
    base: Path, backup_at: BackupAt
) -> None:
    """A store into a page that is dirty already moves no time."""
    with (base / CURRENT).open("r+b") as file, mmap.mmap(file.fileno(), 0) as stored:
        stored[0] ^= 1
        before = (base / CURRENT).stat()
        backup_at(base, 1000)
        stored[0] ^= 1
        if (base / CURRENT).stat().st_mtime_ns != before.st_mtime_ns:
            pytest.skip("this file system has written the page meanwhile, and sees the store")
        assert checked(base).differing == [CURRENT]


def _rewrite(path: Path) -> None:
    path.write_bytes(path.read_bytes()[::-1])
    os.utime(path, (2, 2))


def _lengthen(path: Path) -> None:
    times = path.stat()
    path.write_bytes(path.read_bytes() + b"more")
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


def _become_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("change", [_rewrite, _lengthen, _become_a_folder, Path.unlink])
def test_a_file_that_shows_its_change_is_no_doubt(
    base: Path, backup_at: BackupAt, change: Callable[[Path], None]
) -> None:
    backup_at(base, 1000)
    files = checked(base).files
    change(base / CURRENT)
    (base / "tables" / "text" / "new").write_bytes(b"new")
    assert checked(base) == LiveCheck(files - 1, [])


def test_another_mode_or_what_is_no_file_is_no_doubt(base: Path, backup_at: BackupAt) -> None:
    backup_at(base, 1000)
    files = checked(base).files
    (base / CURRENT).chmod(0o600)
    (base / "tables" / "text" / "link").symlink_to("current.csv")
    assert checked(base) == LiveCheck(files, [])


def test_an_empty_file_in_a_folders_place_is_no_doubt(base: Path, backup_at: BackupAt) -> None:
    empty = base / "tables" / "text" / "empty"
    times = empty.stat()
    backup_at(base, 1000)
    files = checked(base).files
    empty.rmdir()
    empty.touch()
    os.utime(empty, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert checked(base) == LiveCheck(files, [])


def test_it_is_held_against_the_newest_sound_backup(base: Path, backup_at: BackupAt) -> None:
    backup_at(base, 1000)
    change_unseen(base / CURRENT)
    backup_at(base, 2000)
    (base / "backups" / "3000.tar.gz").write_bytes(b"damaged")
    found = verify(base, deep=True)
    assert [(one.id, one.is_sound, one.live is None) for one in found] == [
        ("3000", False, True),
        ("2000", True, False),
        ("1000", True, True),
    ]
    assert checked(base).differing == []
    assert checked(base, "1000").differing == [CURRENT]
    assert [one.is_doubted for one in verify(base, ["1000", "2000"], deep=True)] == [False, False]


def test_one_of_others_tells_by_its_whole_seconds_what_looks_unchanged(base: Path) -> None:
    os.utime(base / CURRENT, (1_700_000_000, 1_700_000_000))
    os.utime(base / "indices" / "metadata.json", (1.5, 1.5))
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "1.tar.gz", "w:gz", format=tarfile.USTAR_FORMAT) as tar:
        tar.add(base / "tables", "tables")
        tar.add(base / "indices", "indices")
    change_unseen(base / CURRENT)
    change_unseen(base / "indices" / "metadata.json")
    assert checked(base).differing == [CURRENT]


# Beside others ----------------------------------------------------------------------


def test_nothing_live_is_read_unless_it_is_to_be_deep(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_at(base, 1000)
    monkeypatch.setattr(base_lock, "BASE_TIMEOUT_SECS", 0.1)
    descriptor = os.open(base, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        assert [one.live for one in verify(base)] == [None]
        with pytest.raises(LockTimeout):
            verify(base, deep=True)
    finally:
        os.close(descriptor)


def test_a_table_that_stays_locked_is_named(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_at(base, 1000)
    monkeypatch.setattr(table_lock, "TABLE_TIMEOUT_SECS", 0.1)
    with (base / "tables" / "text" / ".lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockTimeout, match="tables/text"):
            verify(base, deep=True)


def test_it_changes_nothing(base: Path, backup_at: BackupAt, snapshot: TakeSnapshot) -> None:
    backup_at(base, 1000)
    before, names = snapshot(base), os.listdir(base)
    verify(base, deep=True)
    assert (snapshot(base), os.listdir(base)) == (before, names)


# The command ------------------------------------------------------------------------


def test_the_command_fails_where_a_file_is_doubted_and_names_it(
    base: Path, backup_at: BackupAt, capsys: pytest.CaptureFixture[str]
) -> None:
    backup_at(base, 1000)
    files = checked(base).files
    assert main(["verify", str(base), "--deep"]) == 0
    said = f"\n{files} live files with the size and time of backup 1000: each has its content, too"
    assert said in capsys.readouterr().out
    change_unseen(base / CURRENT)
    assert main(["verify", str(base), "--deep"]) == 1
    assert f"backup 1000, and 1 with another content:\n  {CURRENT}\n" in capsys.readouterr().out
    assert main(["verify", str(base)]) == 0
    capsys.readouterr()

    assert main(["verify", str(base), "--deep", "--json"]) == 1
    (found,) = json.loads(capsys.readouterr().out)
    assert found["live"] == {"files": files, "differing": [CURRENT]}
    assert found["is_sound"]


def test_the_command_says_where_no_backup_is_sound(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (base / "backups").mkdir()
    (base / "backups" / "1000.tar.gz").write_bytes(b"damaged")
    assert main(["verify", str(base), "--deep"]) == 1
    assert "No sound backup to hold the live files against." in capsys.readouterr().out
