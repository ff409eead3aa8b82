"""What a tree holds, and how two of them differ, in words."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from pytest_reedbackup.views.tree import Entry, Tree


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / ".reed"
    (base / "tables/users/empty").mkdir(parents=True)
    (base / "tables/users/current.csv").write_bytes(b"key|value\n")
    (base / "tables/users/current.csv").chmod(0o644)
    (base / "backups/old").mkdir(parents=True)
    (base / "link").symlink_to("tables/users")
    return base


def test_a_tree_names_everything_once_with_posix_paths(base: Path) -> None:
    assert set(Tree.read(base).entries) == {
        ".",
        "backups",
        "backups/old",
        "link",
        "tables",
        "tables/users",
        "tables/users/current.csv",
        "tables/users/empty",
    }


def test_an_entry_has_kind_mode_size_mtime_and_content(base: Path) -> None:
    os.utime(base / "tables/users/current.csv", ns=(0, 1_234_567_890_123_456_789))
    assert Tree.read(base).entries["tables/users/current.csv"] == Entry(
        "file",
        0o644,
        10,
        1_234_567_890_123_456_789,
        hashlib.sha256(b"key|value\n").hexdigest(),
    )


def test_symlinks_are_not_followed(base: Path) -> None:
    assert Tree.read(base).entries["link"][::4] == ("symlink", "tables/users")


def test_files_larger_than_one_read_are_hashed_whole(base: Path) -> None:
    content = os.urandom(3_000_001)
    (base / "large").write_bytes(content)
    assert Tree.read(base).entries["large"].content == hashlib.sha256(content).hexdigest()


def test_a_fifo_is_named_and_not_read(base: Path) -> None:
    os.mkfifo(base / "pipe")
    assert Tree.read(base).entries["pipe"].kind == "fifo"


def test_names_that_are_no_utf_8_are_kept(base: Path) -> None:
    name = os.fsdecode(b"\xff")
    try:
        (base / name).touch()
    except OSError:
        pytest.skip("this file system takes names in UTF-8 only")
    before = Tree.read(base)
    (base / name).unlink()
    assert before.differences(Tree.read(base)) == [r"'\udcff': missing"]


def test_what_is_excluded_is_left_out_with_all_below_it(base: Path) -> None:
    tree = Tree.read(base, exclude=("backups", "tables/users/empty", "."))
    assert set(tree.entries) == {"link", "tables", "tables/users", "tables/users/current.csv"}


def test_a_missing_folder_is_not_an_empty_one(tmp_path: Path) -> None:
    missing = Tree.read(tmp_path / "missing")
    (tmp_path / "empty").mkdir()
    empty = Tree.read(tmp_path / "empty")
    assert not missing.exists
    assert empty.exists
    assert missing.differences(empty) == [".: should not be there"]
    assert empty.differences(missing) == [".: missing"]


def test_a_file_where_a_folder_was_is_a_difference(tmp_path: Path) -> None:
    (tmp_path / "place").mkdir()
    before = Tree.read(tmp_path / "place")
    (tmp_path / "place").rmdir()
    (tmp_path / "place").write_text("")
    assert before.differences(Tree.read(tmp_path / "place")) == [".: folder expected, file found"]


def test_equal_trees_have_no_differences(base: Path) -> None:
    assert Tree.read(base).differences(Tree.read(base), mtime=True) == []


def test_differences_are_lines_in_order(base: Path) -> None:
    before = Tree.read(base)
    (base / "tables/users/current.csv").write_bytes(b"key|VALUE\n")
    (base / "tables/users/current.csv").chmod(0o600)
    (base / "tables/users/empty").rmdir()
    (base / "tables/more").touch()
    (base / "link").unlink()
    (base / "link").symlink_to("tables")
    was, is_now = (hashlib.sha256(c).hexdigest()[:8] for c in (b"key|value\n", b"key|VALUE\n"))
    assert before.differences(Tree.read(base)) == [
        "link: target 'tables/users' expected, 'tables' found",
        "tables/more: should not be there",
        f"tables/users/current.csv: content differs (10 bytes, sha256 {was}… expected; "
        f"10 bytes, {is_now}… found); mode 0644 expected, 0600 found",
        "tables/users/empty: missing",
    ]


def test_mtimes_count_only_when_asked_for(base: Path) -> None:
    before = Tree.read(base)
    os.utime(base / "tables/users/current.csv", ns=(0, 5))
    after = Tree.read(base)
    assert before.differences(after) == []
    [difference] = before.differences(after, mtime=True)
    assert difference.startswith("tables/users/current.csv: mtime ")
    assert difference.endswith(" 5 found")


def test_a_long_list_is_cut_and_the_rest_is_counted(base: Path) -> None:
    before = Tree.read(base)
    for number in range(30):
        (base / f"new {number:02}").touch()
    differences = before.differences(Tree.read(base), limit=3)
    assert differences == [
        "new 00: should not be there",
        "new 01: should not be there",
        "new 02: should not be there",
        "… and 27 more paths",
    ]
    assert len(before.differences(Tree.read(base), limit=None)) == 30


def test_a_path_that_would_break_the_line_is_quoted(base: Path) -> None:
    before = Tree.read(base)
    (base / "new\nline").touch()
    assert before.differences(Tree.read(base)) == [r"'new\nline': should not be there"]
