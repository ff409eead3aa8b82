"""What a call changes on disk is seen, and made again elsewhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.recording.changes import (
    InodeSnapshot,
    Unrecordable,
    _quoted,
    folder_around,
    make_again,
)
from pytest_reedbackup.recording.format import Change
from pytest_reedbackup.views.tree import Tree


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder around a base, with something of every kind."""
    folder = tmp_path / "recorded"
    table = folder / ".reed" / "tables" / "text"
    table.mkdir(parents=True)
    (table / "current.csv").write_text("key|value\n")
    (table / "old.bsdiff").write_text("old")
    (table / "empty").mkdir()
    (table / "link").symlink_to("nowhere")
    (folder / ".reed" / "closed").mkdir()
    (folder / ".reed" / "closed" / "inside").write_text("inside")
    (folder / ".reed" / "closed").chmod(0o500)
    yield folder
    for closed in tmp_path.glob("*/.reed/closed"):
        closed.chmod(0o700)


def overwritten(folder: Path) -> None:
    (folder / ".reed/tables/text/current.csv").write_text("key|other\n")


def replaced(folder: Path) -> None:
    new = folder / ".reed/tables/text/new"
    current = folder / ".reed/tables/text/current.csv"
    shutil.copy2(current, new)  # the inode is all that differs
    new.replace(current)


def removed(folder: Path) -> None:
    shutil.rmtree(folder / ".reed/tables/text")


def made(folder: Path) -> None:
    names = folder / ".reed/indices/deep"
    names.mkdir(parents=True, mode=0o750)
    (names / os.fsdecode(b"not utf-8 \xff")).write_bytes(b"\0\xff")
    (names / ("ü" * 127)).touch(0o600)
    (names / "percent%2F").symlink_to(os.fsdecode(b"to \xff"))
    names.chmod(0o550)
    os.utime(names, ns=(1, 1_500_000_000_000_000_001))


def exchanged(folder: Path) -> None:
    table = folder / ".reed/tables/text"
    (table / "empty").rmdir()
    (table / "empty").write_text("now a file")
    (table / "old.bsdiff").unlink()
    (table / "old.bsdiff").mkdir()
    (table / "link").unlink()
    (table / "link").symlink_to("elsewhere")


def outside(folder: Path) -> None:
    (folder / "beside the base").write_text("written where it must not be")


def whole_base(folder: Path) -> None:
    (folder / "typo" / ".reed" / "backups").mkdir(parents=True)


def in_a_closed_folder(folder: Path) -> None:
    closed = folder / ".reed/closed"
    closed.chmod(0o700)
    (closed / "inside").write_text("changed")
    (closed / "more").write_text("more")
    closed.chmod(0o500)


CALLS: tuple[Callable[[Path], None], ...] = (
    overwritten,
    replaced,
    removed,
    made,
    exchanged,
    outside,
    whole_base,
    in_a_closed_folder,
    lambda folder: None,
)


@pytest.mark.parametrize("call", CALLS)
def test_the_changes_of_a_call_are_made_again(
    folder: Path, tmp_path: Path, call: Callable[[Path], None]
) -> None:
    replay = tmp_path / "replayed"
    clone_tree(folder, replay)
    before = InodeSnapshot.read(folder)
    call(folder)
    seen = before.changes()
    make_again(replay, seen.gone, seen.changes, seen.blobs.__getitem__)
    found, expected = (Tree.read(path, exclude=(".",)) for path in (replay, folder))
    assert expected.differences(found) == []
    made_again = {_quoted(name): entry for name, entry in found.entries.items()}
    for change in seen.changes:
        assert made_again[change.path].mtime_ns == change.mtime_ns
    assert bool(seen.changes or seen.gone) == (call is not CALLS[-1])


@pytest.mark.parametrize(("call", "same"), [(overwritten, True), (replaced, False)])
def test_a_file_is_overwritten_or_replaced_as_it_was(
    folder: Path, tmp_path: Path, call: Callable[[Path], None], same: bool
) -> None:
    replay = tmp_path / "replayed"
    clone_tree(folder, replay)
    before = InodeSnapshot.read(folder)
    call(folder)
    seen = before.changes()
    current = replay / ".reed/tables/text/current.csv"
    inode = current.stat().st_ino
    make_again(replay, seen.gone, seen.changes, seen.blobs.__getitem__)
    assert (current.stat().st_ino == inode) is same


def test_what_no_recording_can_hold_is_said(folder: Path) -> None:
    before = InodeSnapshot.read(folder)
    os.mkfifo(folder / ".reed" / "fifo")
    with pytest.raises(Unrecordable, match=r"a fifo was made: '.reed/fifo'"):
        before.changes()


@pytest.mark.parametrize("path", ["../outside", "/etc/passwd", "a/../../b", ""])
def test_a_change_never_leaves_its_folder(tmp_path: Path, path: str) -> None:
    change = Change(path=path, kind="file", mode=0o644, mtime_ns=0, content="x")
    with pytest.raises(ValueError, match="leaves its folder"):
        make_again(tmp_path, [], [change], lambda name: b"")
    with pytest.raises(ValueError, match="leaves its folder"):
        make_again(tmp_path, [path], [], lambda name: b"")


def test_the_folder_around_is_the_nearest_that_exists(tmp_path: Path) -> None:
    (tmp_path / ".reed").mkdir()
    assert folder_around(tmp_path / ".reed") == tmp_path
    assert folder_around(tmp_path / ".reed" / "..") == tmp_path.parent
    assert folder_around(tmp_path / "typo" / "more" / ".reed") == tmp_path
    with pytest.raises(Unrecordable):
        folder_around(Path("/no/such/place/for/a/base/.reed"))
