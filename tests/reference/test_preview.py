"""A dry run shows exactly what the restore then does."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from fixture_types import BackupAt, ReadDatabase, RunAsNobody, TakeSnapshot, Tree

from reedbase_backup import (
    BackupCorrupted,
    BackupNotFound,
    BackupUnsafe,
    LockTimeout,
    create_backup,
    restore_point_in_time,
)
from reedbase_backup.comparing.preview import preview
from reedbase_backup.disk import base_lock, source_entries, table_lock
from reedbase_backup.picks import at_or_before
from reedbase_backup.types import U64_MAX as FOREVER


def kinds(tree: Tree) -> Tree:
    """What a preview is about: content, mode and kind, and no times."""
    return {name: (entry[0], entry[1], *entry[3:]) for name, entry in tree.items()}


def test_a_preview_is_what_the_restore_does(base: Path, database: ReadDatabase) -> None:
    create_backup(base)
    text = base / "tables" / "text"
    (text / "current.csv").write_text("other")
    (text / "version.log").chmod(0o600)
    (text / "empty").chmod(0o700)
    (text / "empty.csv").unlink()
    (text / "empty.csv").mkdir()
    shutil.rmtree(base / "tables" / "routes")
    (base / "tables" / "new" / "deep").mkdir(parents=True)
    (base / "indices" / "link").symlink_to("nowhere")
    os.utime(base / "indices" / "metadata.json", (1, 1))
    before = kinds(database(base))

    found = preview(base, at_or_before(FOREVER))
    restore_point_in_time(base, FOREVER)
    after = kinds(database(base))

    assert found.added == sorted(after.keys() - before.keys())
    assert found.removed == sorted(before.keys() - after.keys())
    differing = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert {*found.changed, *found.mode_changed} == differing
    assert found.changed == ["tables/text/current.csv", "tables/text/empty.csv"]
    assert found.mode_changed == ["tables/text/empty", "tables/text/version.log"]
    assert preview(base, at_or_before(FOREVER)).is_empty


@pytest.mark.parametrize("root", ["tables", "indices"])
def test_a_root_that_is_a_symlink_or_missing_is_in_the_preview(
    base: Path, tmp_path: Path, root: str
) -> None:
    create_backup(base)
    (base / root).rename(tmp_path / "elsewhere")
    assert root in preview(base, at_or_before(FOREVER)).added
    (base / root).symlink_to(tmp_path / "elsewhere")
    assert preview(base, at_or_before(FOREVER)).changed == [root]


def test_a_symlink_to_a_folder_is_removed_in_the_preview_and_never_followed(base: Path) -> None:
    create_backup(base)
    (base / "indices" / "link").symlink_to(base / "registry", target_is_directory=True)
    assert preview(base, at_or_before(FOREVER)).removed == ["indices/link"]


def test_folders_that_only_paths_imply_are_not_removed_in_the_preview(base: Path) -> None:
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "1000.tar.gz", "w:gz") as archive:
        archive.add(base / "tables" / "text" / "current.csv", "tables/text/current.csv")
    found = preview(base, at_or_before(1000))
    assert "tables" not in found.removed
    assert "tables/text" not in found.removed
    assert "tables/routes" in found.removed


def test_a_hard_link_is_compared_by_the_content_that_it_repeats(base: Path) -> None:
    text = base / "tables" / "text"
    (text / "linked").hardlink_to(text / "current.csv")
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "1000.tar.gz", "w:gz") as archive:
        for root in ("tables", "indices"):
            archive.add(base / root, root)
    assert preview(base, at_or_before(1000)).is_empty
    (text / "linked").unlink()
    (text / "linked").write_bytes(b"x" * (text / "current.csv").stat().st_size)
    (text / "linked").chmod(0o600)
    assert preview(base, at_or_before(1000)).changed == ["tables/text/linked"]


def test_a_preview_fails_as_the_restore_would(base: Path, backup_at: BackupAt) -> None:
    with pytest.raises(BackupNotFound):
        preview(base, at_or_before(5))
    backup_at(base, 1000)
    (base / "backups" / "2000.tar.gz").write_bytes(b"damaged")
    with pytest.raises(BackupCorrupted):
        preview(base, at_or_before(2000))
    with tarfile.open(base / "backups" / "3000.tar.gz", "w:gz") as archive:
        archive.add(base / "registry", "registry")
    with pytest.raises(BackupUnsafe):
        preview(base, at_or_before(3000))


def test_a_preview_is_read_only(base: Path, snapshot: TakeSnapshot) -> None:
    create_backup(base)
    Path(base / "tables" / "new").mkdir()
    before, names = snapshot(base), os.listdir(base)
    preview(base, at_or_before(FOREVER))
    assert (snapshot(base), os.listdir(base)) == (before, names)


# Beside others ------------------------------------------------------------------

_WRITER = """
import fcntl, os, sys, time
folder, lock = sys.argv[1], os.path.join(sys.argv[1], ".lock")
os.chdir(folder)
held = open(lock)
contents = [(open(n).read(), open(n).read() + "more") for n in ("current.csv", "version.log")]
print("ready", flush=True)
while True:
    for state in (1, 0):
        fcntl.flock(held, fcntl.LOCK_EX)
        open("current.new.tmp", "w").write("x" * 5000)
        os.unlink("current.new.tmp")
        for name, content in zip(("current.csv", "version.log"), contents):
            with open("new.tmp", "w") as file:
                file.write(content[state])
            os.chmod("new.tmp", os.stat(name).st_mode & 0o7777)
            os.rename("new.tmp", name)
        open(f"{state}.bsdiff.tmp", "w").close()
        os.unlink(f"{state}.bsdiff.tmp")
        fcntl.flock(held, fcntl.LOCK_UN)
        time.sleep(0.001)
"""
_WRITTEN = ["tables/text/current.csv", "tables/text/version.log"]


def test_beside_a_writer_each_table_is_seen_between_two_writes(base: Path) -> None:
    create_backup(base)
    command: list[str | Path] = [sys.executable, "-c", _WRITER, base / "tables" / "text"]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "ready\n"
        for _ in range(20):
            found = preview(base, at_or_before(FOREVER))
            assert found.changed in ([], _WRITTEN)
            assert (found.added, found.removed, found.mode_changed) == ([], [], [])
    finally:
        writer.kill()
        writer.communicate()


def _steps_of_a_write(text: Path) -> Iterator[None]:
    temporary = text / "new.tmp"
    for path in (text / "current.csv", text / "version.log"):
        content, mode = path.read_bytes(), path.stat().st_mode & 0o7777
        temporary.write_bytes(content[: len(content) // 2])
        yield
        temporary.write_bytes(content + b"more")
        temporary.chmod(mode)
        yield
        temporary.rename(path)
        yield


@pytest.mark.parametrize("at", range(9))
def test_without_a_lock_a_table_is_seen_before_or_after_a_write_amidst(
    base: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    """A step of the write comes after each piece that is read, from one of them on."""
    (base / "tables" / "text" / ".lock").unlink()
    create_backup(base)
    steps, reads = _steps_of_a_write(base / "tables" / "text"), count()
    read = source_entries.read_some

    def read_amidst(descriptor: int, size: int, name: str) -> bytes:
        piece = read(descriptor, size, name)
        if next(reads) >= at:
            next(steps, None)
        return piece

    monkeypatch.setattr(source_entries, "read_some", read_amidst)
    found = preview(base, at_or_before(FOREVER))
    assert next(reads) > at
    assert found.changed in ([], _WRITTEN)
    assert (found.added, found.removed, found.mode_changed) == ([], [], [])


def test_a_table_that_stays_locked_is_an_error_that_names_it(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_backup(base)
    monkeypatch.setattr(table_lock, "TABLE_TIMEOUT_SECS", 0.1)
    with (base / "tables" / "text" / ".lock").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(LockTimeout, match="tables/text"):
            preview(base, at_or_before(FOREVER))


def test_no_backup_or_restore_runs_meanwhile(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which could prune the archive, or have half of the trees in place."""
    create_backup(base)
    monkeypatch.setattr(base_lock, "BASE_TIMEOUT_SECS", 0.1)
    descriptor = os.open(base, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with pytest.raises(LockTimeout):
            preview(base, at_or_before(FOREVER))
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        assert preview(base, at_or_before(FOREVER)).is_empty
    finally:
        os.close(descriptor)


def test_a_preview_works_where_nothing_may_be_written(base: Path, as_nobody: RunAsNobody) -> None:
    create_backup(base)
    for folder in (base / "backups", base / "tables", base):
        folder.chmod(0o555)
    done = as_nobody(
        """
from reedbase_backup.picks import at_or_before
from reedbase_backup.comparing.preview import preview
print(preview(sys.argv[1], at_or_before(2**64 - 1)).mode_changed)
""",
        base,
    )
    assert (done.stdout, done.stderr) == ("['tables']\n", "")


def test_where_folders_cannot_be_locked_it_goes_without(
    base: Path, monkeypatch: pytest.MonkeyPatch, snapshot: TakeSnapshot
) -> None:
    create_backup(base)

    def refused(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(fcntl, "flock", refused)
    before, names = snapshot(base), os.listdir(base)
    assert preview(base, at_or_before(FOREVER)).is_empty
    assert (snapshot(base), os.listdir(base)) == (before, names)


@pytest.mark.parametrize("path", ["", "missing", "with\0nul"])
def test_a_base_that_is_no_folder_has_no_backup_to_preview(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BackupNotFound):
        preview(path, at_or_before(FOREVER))
