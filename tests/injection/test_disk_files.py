"""Copies of sparse files, and what is said where the kernel keeps users from tracing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_reedbackup.injection.power import disks
from pytest_reedbackup.injection.traced import attached

MEBIBYTE = 1 << 20


@pytest.fixture
def sparse(tmp_path: Path) -> Path:
    """A file of 5 MiB with something at its start and in the midst, and holes elsewhere."""
    path = tmp_path / "sparse"
    with path.open("wb") as file:
        file.write(b"start")
        file.seek(3 * MEBIBYTE)
        file.write(os.urandom(MEBIBYTE + 10))
        file.truncate(5 * MEBIBYTE)
    return path


def test_a_copy_is_the_same_and_has_the_holes(sparse: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_bytes(b"x" * 6 * MEBIBYTE)  # what an earlier copy has left
    disks._copy(sparse, copy)
    assert copy.read_bytes() == sparse.read_bytes()
    assert copy.stat().st_blocks <= sparse.stat().st_blocks + 16
    assert disks._are_same(sparse, copy)


@pytest.mark.parametrize("place", [0, 2 * MEBIBYTE, 4 * MEBIBYTE, 5 * MEBIBYTE - 1])
@pytest.mark.parametrize("changed", ["original", "copy"])
def test_one_byte_is_seen_in_data_and_in_holes_of_either(
    sparse: Path, tmp_path: Path, place: int, changed: str
) -> None:
    copy = tmp_path / "copy"
    disks._copy(sparse, copy)
    with (sparse if changed == "original" else copy).open("r+b") as file:
        file.seek(place)
        byte = file.read(1)
        file.seek(place)
        file.write(bytes([byte[0] ^ 1]))
    assert not disks._are_same(sparse, copy)


def test_a_kernel_that_lets_no_user_trace_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scope = tmp_path / "ptrace_scope"
    scope.write_text("1\n")
    monkeypatch.setattr(attached, "_YAMA", scope)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert attached._remedy() == f"; run as root, or write 0 to {scope}"
    scope.write_text("0\n")
    assert attached._remedy() == ""
