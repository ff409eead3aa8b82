"""A snapshot says what has changed since, and where symlinks led when it was taken."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.views.snapshot import Snapshot


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file").write_bytes(b"content")
    (root / "link").symlink_to("folder")
    return root


CHANGES: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "nothing": (lambda root: None, set()),
    "a time": (lambda root: os.utime(root / "folder" / "file", (1, 1)), set()),
    "a content": (lambda root: (root / "folder" / "file").write_bytes(b"other"), {"folder/file"}),
    "a mode": (lambda root: (root / "folder" / "file").chmod(0o600), {"folder/file"}),
    "a new file": (lambda root: (root / "new").touch(), {"new"}),
    "a file that is gone": (lambda root: (root / "folder" / "file").unlink(), {"folder/file"}),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_is_seen_and_times_do_not_count(root: Path, change: str) -> None:
    make, expected = CHANGES[change]
    (root / "folder" / "file").chmod(0o644)
    before = Snapshot.read(root)
    make(root)
    assert before.changed(Snapshot.read(root)) == expected


def test_a_path_is_resolved_as_the_symlinks_were_then(root: Path) -> None:
    before = Snapshot.read(root)
    (root / "link").unlink()
    assert before.resolve("link/file") == "folder/file"
    assert before.resolve(root / "link" / "file") == "folder/file"
    assert Snapshot.read(root).resolve("link/file") == "link/file"


@pytest.mark.parametrize("target", ["../folder/file", "{root}/folder/file"])
def test_a_content_is_read_through_relative_and_absolute_symlinks(root: Path, target: str) -> None:
    (root / "deep").mkdir()
    (root / "deep" / "link").symlink_to(target.format(root=root))
    assert Snapshot.read(root).content("deep/link") == b"content"


def test_a_symlink_out_of_the_folder_or_to_itself_leads_to_no_content(root: Path) -> None:
    (root.parent / "folder").mkdir()
    (root.parent / "folder" / "file").write_bytes(b"outside")
    (root / "out").symlink_to("../folder/file")
    (root / "loop").symlink_to("loop")
    snapshot = Snapshot.read(root)
    assert snapshot.content("out") is None
    assert snapshot.content("loop") is None
