"""The awkward database: each awkward thing is really there."""

from __future__ import annotations

import os
import stat
import sys
import unicodedata
from collections import Counter
from pathlib import Path

import pytest

from pytest_reedbackup.databases.awkward import MODES, MTIMES, SIZES, TABLE_NAMES
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import AWKWARD
from pytest_reedbackup.views.tree import Tree

linux_only = pytest.mark.skipif(
    sys.platform != "linux", reason="other systems' file systems refuse some of these names"
)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("awkward") / ".reed"
    build(AWKWARD, base)
    return base


@pytest.fixture(scope="module")
def tree(base: Path) -> Tree:
    return Tree.read(base)


@linux_only
def test_every_awkward_name_is_a_table(base: Path) -> None:
    folders = {path.name for path in (base / "tables").iterdir() if path.is_dir()}
    assert folders >= set(TABLE_NAMES)
    for name in TABLE_NAMES:
        assert (base / "tables" / name / "current.csv").read_bytes().startswith(b"key|")


@linux_only
def test_names_differ_only_in_normalisation_or_only_in_case(base: Path) -> None:
    names = os.listdir(base / "tables")
    normal = Counter(unicodedata.normalize("NFC", name) for name in names)
    folded = Counter(name.casefold() for name in names)
    assert max(normal.values()) == 2
    assert max(folded.values()) == 2


@linux_only
def test_some_names_are_no_utf_8_and_one_is_as_long_as_names_can_be(base: Path) -> None:
    names = [os.fsencode(name) for name in os.listdir(base / "tables")]
    assert max(len(name) for name in names) == 255
    assert any(b"\xff" in name for name in names)
    assert any(b"\n" in name for name in names)


def test_paths_are_longer_than_a_tar_header_holds(tree: Tree) -> None:
    lengths = [len(os.fsencode(path)) for path in tree.entries]
    assert any(100 < length <= 255 for length in lengths)
    assert any(length > 255 for length in lengths)


def test_there_are_empty_files_empty_folders_and_dotfiles(base: Path, tree: Tree) -> None:
    empty = {path for path, entry in tree.entries.items() if entry.kind == "folder"}
    empty -= {os.path.dirname(path) for path in tree.entries}
    assert "tables/no files" in empty
    assert "tables/text/only/folders" in empty
    assert tree.entries["tables/text/0.bytes"].size == 0
    assert "tables/text/.dotfile" in tree.entries


def test_sizes_lie_around_the_blocks_of_a_tar(tree: Tree) -> None:
    assert [tree.entries[f"tables/text/{size}.bytes"].size for size in SIZES] == list(SIZES)


def test_one_file_is_larger_than_eight_mebibytes(tree: Tree) -> None:
    assert tree.entries["tables/upload/large.bin"].size > 8 * 2**20


def test_modes_are_those_asked_for(tree: Tree) -> None:
    found = [tree.entries[f"tables/text/mode {mode:04o}"].mode for mode in MODES]
    assert found == list(MODES)
    assert tree.entries["tables/text/frozen"].mode == 0o555
    assert tree.entries["tables/text/only/folders"].mode == 0o700


def test_mtimes_reach_from_before_1970_to_past_what_tar_headers_hold(tree: Tree) -> None:
    found = [tree.entries[f"tables/text/mtime {n}"].mtime_ns for n in range(len(MTIMES))]
    assert found == list(MTIMES)
    assert min(MTIMES) < 0
    assert max(MTIMES) // 10**9 > 8**11 - 1
    assert tree.entries["tables/text/frozen"].mtime_ns < 0


def test_hard_links_join_files_within_and_between_the_trees(base: Path) -> None:
    tables, indices = base / "tables", base / "indices"
    same = [tables / "text/512.bytes", tables / "text/512.again", tables / "binary/512.bytes"]
    assert len({path.stat().st_ino for path in same}) == 1
    assert same[0].stat().st_nlink == 3
    assert (tables / "binary/text.key.wal").samefile(indices / "text.key.wal")


def test_index_files_are_sparse(base: Path) -> None:
    for name in ("text.value.btree", "text.language.btree"):
        found = (base / "indices" / name).stat()
        assert found.st_size == 2**20
        assert found.st_blocks * 512 < 2**19


def test_line_ends_are_of_every_kind(base: Path) -> None:
    content = (base / "tables/upload/current.csv").read_bytes()
    assert b"\r\n\r\n" in content
    assert not content.endswith(b"\n")


def test_every_entry_can_be_archived(tree: Tree) -> None:
    """Special files are a case of their own (create/special-file)."""
    assert {entry.kind for entry in tree.entries.values()} == {"file", "folder"}


def test_the_base_holds_more_than_a_backup_does(base: Path) -> None:
    assert stat.S_IMODE((base / "reed.toml").stat().st_mode) == 0o600
    assert (base / "sessions/current").exists()
