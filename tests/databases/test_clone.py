"""Clones: exact copies, whatever the tree holds."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections import defaultdict
from pathlib import Path

import pytest

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.databases.spec import AWKWARD, SMALL
from pytest_reedbackup.views.tree import Tree


@pytest.fixture(scope="module")
def awkward(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("awkward") / ".reed"
    build(AWKWARD, base)
    return base


@pytest.fixture
def without_reflink(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a file system that cannot share blocks."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(fcntl, "ioctl", refuse)


def link_groups(base: Path) -> set[frozenset[str]]:
    """Which paths are one file."""
    groups = defaultdict(set)
    for folder, _, files in os.walk(base):
        for name in files:
            path = os.path.join(folder, name)
            groups[os.lstat(path).st_ino].add(os.path.relpath(path, base))
    return {frozenset(group) for group in groups.values()}


def test_a_clone_is_the_same_in_content_modes_and_mtimes(awkward: Path, tmp_path: Path) -> None:
    clone_tree(awkward, tmp_path / "clone")
    differences = Tree.read(awkward).differences(Tree.read(tmp_path / "clone"), mtime=True)
    assert differences == []


def test_a_clone_has_the_same_hard_links_and_none_to_the_source(
    awkward: Path, tmp_path: Path
) -> None:
    clone_tree(awkward, tmp_path / "clone")
    groups = link_groups(awkward)
    assert link_groups(tmp_path / "clone") == groups
    assert max(len(group) for group in groups) == 3
    source = (awkward / "tables/text/512.bytes").stat().st_ino
    assert (tmp_path / "clone/tables/text/512.bytes").stat().st_ino != source


def test_a_clone_keeps_the_holes(awkward: Path, tmp_path: Path) -> None:
    clone_tree(awkward, tmp_path / "clone")
    for name in ("text.value.btree", "text.language.btree"):
        cloned = (tmp_path / "clone/indices" / name).stat()
        assert cloned.st_blocks <= (awkward / "indices" / name).stat().st_blocks
        assert cloned.st_size == 2**20


@pytest.mark.usefixtures("without_reflink")
@pytest.mark.parametrize("missing", ["copy_file_range", "SEEK_DATA"])
def test_a_clone_is_the_same_where_the_system_lacks_a_call(
    missing: str, awkward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, missing)
    clone_tree(awkward, tmp_path / "clone")
    differences = Tree.read(awkward).differences(Tree.read(tmp_path / "clone"), mtime=True)
    assert differences == []


@pytest.mark.usefixtures("without_reflink")
def test_a_clone_is_the_same_where_the_kernel_cannot_copy_between_these_files(
    awkward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "copy_file_range", lambda *_: 0)
    clone_tree(awkward, tmp_path / "clone")
    differences = Tree.read(awkward).differences(Tree.read(tmp_path / "clone"), mtime=True)
    assert differences == []


def test_symlinks_and_fifos_are_cloned_as_such(tmp_path: Path) -> None:
    source = tmp_path / "source"
    build(SMALL, source)
    (source / "tables/dangling").symlink_to("no such file")
    (source / "tables/folder").symlink_to(source / "registry")
    os.mkfifo(source / "tables/fifo", 0o640)
    os.utime(source / "tables/dangling", ns=(1, 2_345), follow_symlinks=False)
    clone_tree(source, tmp_path / "clone")
    cloned = Tree.read(tmp_path / "clone")
    assert Tree.read(source).differences(cloned, mtime=True) == []
    assert cloned.entries["tables/dangling"][3:] == (2_345, "no such file")
    assert cloned.entries["tables/fifo"].kind == "fifo"


def test_a_socket_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "source").mkdir()
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(tmp_path / "source/listening"))
        with pytest.raises(ValueError, match="listening"):
            clone_tree(tmp_path / "source", tmp_path / "clone")


def test_what_exists_is_not_cloned_over(awkward: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    with pytest.raises(FileExistsError):
        clone_tree(awkward, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_no_descriptor_is_left_open(awkward: Path, tmp_path: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    clone_tree(awkward, tmp_path / "clone")
    assert len(os.listdir("/dev/fd")) == before


@pytest.mark.usefixtures("without_reflink")
def test_an_error_from_the_disk_is_not_taken_for_a_missing_feature(
    awkward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range", full, raising=False)
    with pytest.raises(OSError, match="No space left"):
        clone_tree(awkward, tmp_path / "clone")


def test_an_error_from_sharing_blocks_is_not_taken_for_a_missing_feature(
    awkward: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "ioctl", failing)
    with pytest.raises(OSError, match="Input/output"):
        clone_tree(awkward, tmp_path / "clone")


@pytest.mark.usefixtures("without_reflink")
def test_a_file_that_shrinks_meanwhile_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "source").mkdir()
    (tmp_path / "source/file").write_bytes(bytes(200_000))
    monkeypatch.setattr(os, "copy_file_range", lambda *_: 0, raising=False)
    monkeypatch.setattr(os, "read", lambda *_: b"")
    with pytest.raises(OSError, match="shorter"):
        clone_tree(tmp_path / "source", tmp_path / "clone")


def test_removing_reaches_into_folders_that_may_not_be_written_to(
    awkward: Path, tmp_path: Path
) -> None:
    clone_tree(awkward, tmp_path / "clone")
    remove_tree(tmp_path / "clone")
    assert not (tmp_path / "clone").exists()


def test_removing_a_symlink_leaves_what_it_points_to(tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / "link").symlink_to("kept")
    remove_tree(tmp_path / "link")
    remove_tree(tmp_path / "never there")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
