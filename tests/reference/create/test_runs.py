"""Runs are the same, whether the files are read or only looked at (`archive/reuse/runs`)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reedbase_backup.archive.reuse import runs
from reedbase_backup.archive.reuse.runs import Run, read_runs, runs_of
from reedbase_backup.disk import source_entries
from reedbase_backup.disk.source_entries import (
    See,
    SourceChanged,
    SourceFile,
    SourceFiles,
    SourceFolder,
)

LARGE, PIECE, MOST = 20, 30, 4


@contextmanager
def small_runs() -> Iterator[None]:
    with (
        mock.patch.object(runs, "_MOST_FILES", MOST),
        mock.patch.object(runs, "LARGE_FILE", LARGE),
        mock.patch.object(runs, "PIECE", PIECE),
    ):
        yield


@contextmanager
def files_in(folder: Path) -> Iterator[SourceFiles]:
    """Yield the files of a folder of which a lock keeps writers out."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        source = SourceFolder("tables/t", os.fstat(descriptor), descriptor)
        yield SourceFiles(source, sorted(os.listdir(folder)), None)
    finally:
        os.close(descriptor)


@contextmanager
def files_of(sizes: Sequence[int]) -> Iterator[SourceFiles]:
    with TemporaryDirectory() as folder:
        for number, size in enumerate(sizes):
            Path(folder, f"{number:02}").write_bytes(bytes([number]) * size)
        with files_in(Path(folder)) as files:
            yield files


def _read(files: SourceFiles, see: See) -> tuple[list[Run], list[bytes]]:
    """Return the runs, and the contents of all files."""
    found, contents = [], []
    for run, content in read_runs(files, files.names, see):
        found.append(run)
        if isinstance(content, SourceFile):
            contents.append(b"".join(content.chunks()))
        else:
            contents += content
    return found, contents


@given(st.lists(st.integers(0, LARGE + 5), max_size=20))
def test_files_are_of_the_same_runs_read_or_looked_at(sizes: list[int]) -> None:
    seen = []

    def see(descriptor: int, status: os.stat_result) -> None:
        assert os.fstat(descriptor).st_ino == status.st_ino
        seen.append(status.st_size)

    with files_of(sizes) as files, small_runs():
        found, contents = _read(files, see)
        looked_at = list(runs_of(files))
    assert [run.names for run in found] == [run.names for run in looked_at]
    assert [run.key(0) for run in found] == [run.key(0) for run in looked_at]
    assert contents == [bytes([number]) * size for number, size in enumerate(sizes)]
    assert seen == sizes


@given(st.lists(st.integers(0, LARGE + 5), max_size=20))
def test_a_run_ends_where_it_is_large(sizes: list[int]) -> None:
    with files_of(sizes) as files, small_runs():
        of_runs = [[one.st_size for one in run.statuses] for run in runs_of(files)]
    assert list(chain.from_iterable(of_runs)) == sizes
    for run in of_runs:
        assert len(run) == 1 or max(run) < LARGE
        assert len(run) <= MOST
        assert sum(run[:-1]) < PIECE


@given(st.lists(st.integers(0, LARGE - 1), min_size=1, max_size=5))
def test_a_file_that_is_read_in_pieces_is_read_whole(sizes: list[int]) -> None:
    read = source_entries.read_some

    def a_third(descriptor: int, size: int, name: str) -> bytes:
        return read(descriptor, -(-size // 3), name)

    with files_of(sizes) as files, mock.patch.object(source_entries, "read_some", a_third):
        _, contents = _read(files, _see_nothing)
    assert contents == [bytes([number]) * size for number, size in enumerate(sizes)]


def _become_a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("change", [_become_a_pipe, Path.unlink], ids=["a pipe", "nothing"])
@pytest.mark.parametrize("size", [1, LARGE])
def test_what_is_no_file_any_more_has_changed(
    tmp_path: Path, size: int, change: Callable[[Path], None]
) -> None:
    (tmp_path / "file").write_bytes(bytes(size))
    with files_in(tmp_path) as files, small_runs():
        change(tmp_path / "file")
        with pytest.raises(SourceChanged):
            list(runs_of(files))
        with pytest.raises(SourceChanged):
            _read(files, _see_nothing)
        with pytest.raises(SourceChanged):
            list(files)
        assert _open_here(tmp_path) == 1


@pytest.mark.parametrize("size", [1, LARGE])
def test_a_file_that_becomes_shorter_as_it_is_read_has_changed(tmp_path: Path, size: int) -> None:
    file = tmp_path / "file"
    file.write_bytes(bytes(size))

    def shorten(descriptor: int, status: os.stat_result) -> None:
        os.truncate(file, 0)

    with files_in(tmp_path) as files, small_runs(), pytest.raises(SourceChanged):
        _read(files, shorten)


def _see_nothing(descriptor: int, status: os.stat_result) -> None:
    pass


def _open_here(folder: Path) -> int:
    """Return how many descriptors this process has of a folder and what is in it."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.is_symlink()]
    return sum(os.readlink(link).startswith(os.fspath(folder)) for link in links)
