"""An archive is the same, whichever of its files another process has packed (`archive/packed`)."""

from __future__ import annotations

import marshal
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reedbase_backup.archive import forked, packed, writer
from reedbase_backup.archive.reuse import runs
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.writer import ArchiveWriter
from reedbase_backup.disk import source, source_entries
from reedbase_backup.disk.sharing import Readers
from reedbase_backup.disk.source import Unit
from reedbase_backup.errors import BackupUnsafe, PermissionDenied

NOWHERE = Origin(0, 0, 0, 0, 0)
LARGE, MOST = 300, 4
MANY = 5
GROUP = 4242
"""Of nobody here."""


class Drawn(NamedTuple):
    size: int
    mode: int
    is_foreign: bool = False


class Made(NamedTuple):
    """What is to be the same."""

    archive: bytes
    may_read: list[int]
    """The groups."""
    stamps: dict[str, source_entries.Stamp]


names = st.text(
    st.characters(codec="utf-8", exclude_characters="/\0") | st.sampled_from("\\\n\udc80"),
    min_size=1,
    max_size=60,
).filter(lambda name: name not in (".", "..", ".lock") and len(os.fsencode(name)) < 256)
files = st.builds(
    Drawn,
    st.integers(0, LARGE + 20),
    st.sampled_from([0o640, 0o640, 0o640, 0o600]),
    st.sampled_from([False, False, False, True]),
)
databases = st.dictionaries(names, files, min_size=MANY, max_size=24)


@contextmanager
def small_scale() -> Iterator[None]:
    with (
        mock.patch.object(runs, "_MOST_FILES", MOST),
        mock.patch.object(runs, "_ENDS", 3),
        mock.patch.object(runs, "LARGE_FILE", LARGE),
        mock.patch.object(writer, "_MANY", MANY),
        mock.patch.object(source, "TABLE_TIMEOUT_SECS", 1),
        # No file is too young to be told from itself.
        mock.patch.object(source_entries, "TICK_NS", 0),
    ):
        yield


def made(base: Path) -> Made:
    status = base.stat()
    unit, archive = Unit(os.fspath(base), "tables/t"), BytesIO()
    with closing(ArchiveWriter(archive, Origin(1, status.st_dev, 0, 0, 0))) as adding:
        assert adding.add(unit)
        adding.finish(table_count=1)
    may_read = [group for group in (status.st_gid, GROUP) if adding.readers.include(group)]
    return Made(archive.getvalue(), may_read, dict(unit._stamps))


def done_elsewhere(
    which: Sequence[bool],
) -> Callable[[Callable[[int], Any], int], Generator[Any, None, None]]:
    """Return what is as `forked.shared`, of which another process does those that are true."""

    def shared(do: Callable[[int], Any], count: int) -> Generator[Any, None, None]:
        elsewhere = [number for number in range(count) if which[number % len(which)]]
        # All of them before any is done here: the other is fast.
        done = {number: marshal.loads(marshal.dumps(do(number))) for number in elsewhere}
        yield from map(done.get, range(count))

    return shared


def build(table: Path, drawn: dict[str, Drawn], *, is_locked: bool) -> None:
    table.mkdir(parents=True)
    table.chmod(0o2770)
    for number, (name, file) in enumerate(drawn.items()):
        path = table / name
        path.write_bytes(bytes([number]) * file.size)
        path.chmod(file.mode)
        if file.is_foreign and os.geteuid() == 0:
            os.chown(path, -1, GROUP)
    if is_locked:
        (table / ".lock").touch(0o660)


@given(databases, st.lists(st.booleans(), min_size=1, max_size=5), st.booleans())
def test_an_archive_is_the_same_whoever_packs_its_files(
    drawn: dict[str, Drawn], elsewhere: list[bool], is_locked: bool
) -> None:
    with TemporaryDirectory() as folder, small_scale():
        base = Path(folder)
        build(base / "tables" / "t", drawn, is_locked=is_locked)
        with mock.patch.object(forked, "shared", done_elsewhere([False])):
            alone = made(base)
        with mock.patch.object(forked, "shared", done_elsewhere(elsewhere)):
            assert made(base) == alone


@given(st.lists(names, min_size=1, max_size=60, unique=True))
def test_parts_are_of_whole_runs(found: list[str]) -> None:
    ordered = sorted(found)
    with small_scale():
        parts = runs.parts_of(ordered)

        def ends(of: Sequence[str]) -> Iterator[str]:
            start = 0
            while one := runs._longest(of, start):
                start += len(one)
                yield one[-1]

        assert [name for part in parts for name in part] == ordered
        assert all(len(part) >= MOST for part in parts[:-1])
        assert [name for part in parts for name in ends(part)] == [*ends(ordered)]


@pytest.mark.parametrize(
    ("are_shared", "groups", "may"), [(True, [1], True), (True, [1, 2], False), (False, [1], False)]
)
def test_a_group_may_read_what_was_seen_here_and_there(
    are_shared: bool, groups: list[int], may: bool
) -> None:
    here = Readers()
    here.are_shared, here.groups = True, {1}
    here.see_all_of(are_shared=are_shared, groups=groups)
    assert here.include(1) is may


def test_a_large_file_is_left_to_be_streamed(tmp_path: Path) -> None:
    table = tmp_path / "t"
    build(table, {"1": Drawn(LARGE - 1, 0o640), "2": Drawn(LARGE, 0o640)}, is_locked=False)
    descriptor = os.open(table, os.O_RDONLY)
    try:
        folder = source_entries.SourceFolder("tables/t", os.fstat(descriptor), descriptor)
        found = source_entries.SourceFiles(folder, ["1", "2"], None)
        with small_scale():
            assert packed.pack(found, ["1"], NOWHERE, Readers()) is not None
            assert packed.pack(found, ["1", "2"], NOWHERE, Readers()) is None
    finally:
        os.close(descriptor)


@contextmanager
def many_files(folder: Path) -> Iterator[Path]:
    """Yield a table of many small files, of which all that can be is packed elsewhere."""
    table = folder / "tables" / "t"
    build(table, {f"{number:02}": Drawn(10, 0o640) for number in range(40)}, is_locked=False)
    with ExitStack() as patches:
        patches.enter_context(small_scale())
        patches.enter_context(mock.patch.object(forked, "shared", done_elsewhere([True])))
        yield table


def test_a_name_that_cannot_be_restored_is_refused_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("reedbase_backup.archive.members.MAX_PATH", 20)
    with many_files(tmp_path) as table:
        (table / ("9" * 30)).touch()
        with pytest.raises(BackupUnsafe, match="9" * 30):
            made(tmp_path)


def test_a_file_closed_to_us_is_refused_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def closed(path: Any, flags: int, *args: Any, **options: Any) -> int:
        if path == "33":
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, *args, **options)

    with many_files(tmp_path):
        monkeypatch.setattr(os, "open", closed)
        with pytest.raises(PermissionDenied, match="33"):
            made(tmp_path)


def test_a_file_that_changes_after_it_was_packed_is_read_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source, "_RETRY_PAUSE_SECS", 0)
    packing = packed.pack
    changed: list[int] = []

    def changing(files: Any, part: Sequence[str], *others: Any) -> Any:
        result = packing(files, part, *others)
        if "17" in part and not changed:
            changed.append((table / "17").write_text("something else"))
        return result

    with many_files(tmp_path) as table:
        monkeypatch.setattr(writer, "pack", changing)
        during = made(tmp_path)
        assert changed
        assert made(tmp_path) == during
