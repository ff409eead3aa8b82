"""A backup that takes over what it can holds what one that reads all does, whatever was done."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from reference.create.reuse import NOW, archive_of, assert_equals_reading, wait_a_tick
from reference.restore.live import rewrite

from reedbase_backup.archive import gzip_writer
from reedbase_backup.archive.gzip_header import read_summary
from reedbase_backup.archive.reuse import predecessor, runs
from reedbase_backup.archive.reuse.predecessor import Predecessor
from reedbase_backup.archive.reuse.runs import Run
from reedbase_backup.create import create_backup_at

LOCKED, UNLOCKED = "tables/locked", "tables/unlocked"
SIZES = [0, 30, 30, 700, 30, 3000, 0, 30, 30]


def build(base: Path) -> None:
    """Make small files and larger ones, for all that is large is small here (`small_runs`)."""
    for folder in (LOCKED, UNLOCKED, f"{UNLOCKED}/deep", "indices"):
        (base / folder).mkdir(parents=True)
        for number, size in enumerate(SIZES):
            (base / folder / f"{number}").write_bytes(bytes([65 + number]) * size)
    (base / LOCKED / ".lock").touch()


@contextmanager
def small_runs() -> Iterator[None]:
    with (
        mock.patch.object(runs, "_ENDS", 3),
        mock.patch.object(runs, "_MOST_FILES", 4),
        mock.patch.object(runs, "LARGE_FILE", 500),
        mock.patch.object(gzip_writer, "PIECE", 1000),
        mock.patch.object(predecessor, "_CHUNK", 200),
    ):
        yield


def _replace(path: Path) -> None:
    """By another file of the same size and time."""
    copy = path.with_name("copy")
    shutil.copy2(path, copy)
    rewrite(copy)
    copy.replace(path)


def _swap(path: Path) -> None:
    """With the neighbour that is of the same size and time."""
    other = path.with_name("4" if path.name != "4" else "2")
    if other.exists():
        os.utime(other, ns=(path.stat().st_mtime_ns,) * 2)
        path.rename(path.with_name("third"))
        other.rename(path)
        path.with_name("third").rename(other)


def _copy_folder(path: Path) -> None:
    """Put a copy with preserved times in place of the folder, one file in it rewritten."""
    moved = path.parent.rename(path.parent.with_name("moved"))
    shutil.copytree(moved, moved.with_name(path.parent.name))
    shutil.rmtree(moved)
    rewrite(path)


def _by_a_link(path: Path) -> None:
    """Write through another name of the file, outside the database."""
    base = next(folder for folder in path.parents if folder.name == ".reed")
    os.link(path, base.with_name("outside"))
    rewrite(base.with_name("outside"))
    base.with_name("outside").unlink()


CHANGES: dict[str, Callable[[Path], object]] = {
    "rewrite": rewrite,
    "append": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "replace": _replace,
    "swap": _swap,
    "touch": lambda path: path.touch(),
    "mode": lambda path: path.chmod(0o600),
    "owner": lambda path: os.chown(path, 4242, 4242) if os.geteuid() == 0 else None,
    "folder's mode": lambda path: path.parent.chmod(0o700),
    "add a file": lambda path: path.with_name(f"{path.name}+").write_bytes(path.read_bytes()),
    "remove": lambda path: path.unlink(),
    "rename": lambda path: path.rename(path.with_name(f"{path.name}-")),
    "add a folder": lambda path: path.with_name("new").mkdir(exist_ok=True),
    "copy folder": _copy_folder,
    "link inside": lambda path: os.link(path, path.with_name(f"{path.name} again")),
    "by a link": _by_a_link,
}


class Made(NamedTuple):
    """A change to a file."""

    what: str
    name: str

    def do(self, base: Path) -> None:
        # What is gone cannot be changed, nor twice.
        if (base / self.name).is_file() and not (base / f"{self.name} again").exists():
            CHANGES[self.what](base / self.name)


class Damage(NamedTuple):
    """What becomes of the newest archive: a byte of it is another, or it is cut."""

    what: str
    at: float

    def do(self, archive: Path) -> None:
        content = bytearray(archive.read_bytes())
        with archive.open("rb") as file:
            summary = read_summary(file)
        assert summary is not None
        assert summary.index is not None
        if self.what == "header":
            place = int(self.at * 52)
        elif self.what == "index":
            place = summary.index.offset + int(self.at * summary.index.size)
        else:
            place = int(self.at * len(content))
        if self.what == "cut":
            os.truncate(archive, place)
        else:
            content[place] ^= 0x10
            archive.write_bytes(content)


class Turn(NamedTuple):
    """What comes between two backups, and what during the second."""

    before: list[Made]
    waits: bool
    damage: Damage | None
    during: Made | None
    seconds: int


def _names(*folders: str) -> st.SearchStrategy[str]:
    return st.builds("{}/{}".format, st.sampled_from(folders), st.integers(0, len(SIZES) - 1))


ANYWHERE = _names(LOCKED, UNLOCKED, f"{UNLOCKED}/deep", "indices")
TURNS = st.builds(
    Turn,
    st.lists(st.builds(Made, st.sampled_from(sorted(CHANGES)), ANYWHERE), max_size=3),
    st.booleans(),
    st.none()
    | st.builds(
        Damage,
        st.sampled_from(["header", "index", "anywhere", "cut"]),
        st.floats(0, 1, exclude_max=True),
    ),
    # Who heeds the lock of the other table cannot be at work. Another table in its place is a
    # change to tables/, too, which has been read by then: each is as it was at a time of its own.
    st.none()
    | st.builds(
        Made,
        st.sampled_from(sorted(CHANGES.keys() - {"copy folder"})),
        _names(UNLOCKED, f"{UNLOCKED}/deep", "indices"),
    ),
    st.integers(NOW - 3, NOW + 3),
)


@contextmanager
def changed_during(base: Path, change: Made | None) -> Iterator[None]:
    """Have `change` made once a run of that table has been looked at."""
    find, left = Predecessor.find, [change] if change is not None else []

    def found(self: Predecessor, run: Run) -> object:
        record = find(self, run)
        if left and left[0].name.startswith(run.folder):
            left.pop().do(base)
        return record

    with mock.patch.object(Predecessor, "find", found):
        yield


def held_against_reading(turns: list[Turn]) -> None:
    with tempfile.TemporaryDirectory() as folder, small_runs():
        base = Path(folder) / "base" / ".reed"
        build(base)
        wait_a_tick()
        newest = create_backup_at(base, NOW * 10**9)
        for turn in turns:
            for change in turn.before:
                change.do(base)
            if turn.waits:
                wait_a_tick()
            if turn.damage is not None:
                turn.damage.do(archive_of(base, newest))
            with changed_during(base, turn.during):
                newest = create_backup_at(base, turn.seconds * 10**9)
            assert_equals_reading(base, newest)


def once(*changes: Made, damage: Damage | None = None, during: Made | None = None) -> list[Turn]:
    return [Turn(list(changes), True, damage, during, NOW)]


@given(st.lists(TURNS, min_size=1, max_size=4))
@example(once(*(Made(what, f"{LOCKED}/1") for what in ("rewrite", "swap"))))
@example(once(Made("replace", f"{LOCKED}/5")))
@example(once(during=Made("rewrite", f"{UNLOCKED}/4")))
@example(once(damage=Damage("anywhere", 0.4)))
@settings(max_examples=60)
@pytest.mark.slow
def test_whatever_was_done_and_is_done_meanwhile(turns: list[Turn]) -> None:
    held_against_reading(turns)


@pytest.mark.parametrize("what", sorted(CHANGES))
@pytest.mark.parametrize("name", [f"{LOCKED}/2", f"{LOCKED}/5", f"{UNLOCKED}/4"])
def test_each_change_once_before_a_backup(what: str, name: str) -> None:
    held_against_reading(once(Made(what, name)))


@pytest.mark.parametrize("what", ["rewrite", "replace", "remove", "add a file"])
def test_each_change_once_during_a_backup(what: str) -> None:
    held_against_reading(once(during=Made(what, f"{UNLOCKED}/4")))


@pytest.mark.parametrize("what", ["header", "index", "anywhere", "cut"])
def test_a_damaged_backup_before_is_no_harm_wherever_it_is_damaged(what: str) -> None:
    held_against_reading([Turn([], True, Damage(what, n / 24), None, NOW + n) for n in range(24)])
