"""Point-in-time restore: each table on its own, and nothing else touched."""

from __future__ import annotations

import os
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from reedbase_backup.errors import (
    DeltaApplicationFailed,
    IoError,
    LogCorrupted,
    NoTablesFound,
    TableNotFound,
)
from reedbase_backup.last import RestoreReport, Table, init_registry, restore_point_in_time
from reedbase_backup.last.restore import restore_at
from reedbase_backup.last.versions import chain, delta
from reedbase_backup.types import U64_MAX


def make(base: Path, name: str, versions: dict[int, bytes]) -> Table:
    """A table with the given content at each timestamp."""
    init_registry(base)
    stamps = iter(versions)
    table = Table(base, name, clock=lambda: next(stamps))
    for number, content in enumerate(versions.values()):
        (table.write if number else table.init)(content, "admin")
    return table


def at(start: int) -> Callable[[], int]:
    return count(start).__next__


@pytest.fixture
def base(tmp_path: Path) -> Path:
    make(tmp_path, "b", {10: b"b1", 30: b"b3"})
    make(tmp_path, "a", {20: b"a2", 40: b"a4"})
    return tmp_path


def current(base: Path) -> dict[str, bytes]:
    return {path.parent.name: path.read_bytes() for path in base.glob("tables/*/current.csv")}


@pytest.mark.parametrize(
    ("target", "restored", "skipped", "contents"),
    [
        (0, [], ["a", "b"], [b"a4", b"b3"]),
        (10, [("b", 10)], ["a"], [b"a4", b"b1"]),
        (19, [("b", 10)], ["a"], [b"a4", b"b1"]),
        (20, [("a", 20), ("b", 10)], [], [b"a2", b"b1"]),
        (39, [("a", 20), ("b", 30)], [], [b"a2", b"b3"]),
        (U64_MAX, [("a", 40), ("b", 30)], [], [b"a4", b"b3"]),
    ],
)
def test_each_table_goes_to_its_newest_version_at_or_before_the_target(
    target: int,
    restored: list[tuple[str, int]],
    skipped: list[str],
    contents: list[bytes],
    base: Path,
) -> None:
    report = restore_at(base, target, at(1000))
    assert report == RestoreReport(target, restored, skipped, [])
    assert report.is_success
    assert [current(base)[name] for name in "ab"] == contents


def test_a_restore_is_a_new_version_by_the_system_and_takes_nothing_away(base: Path) -> None:
    restore_at(base, 20, at(1000))
    lines = Table(base, "a").log()
    assert [(line.timestamp, line.action, line.user) for line in lines] == [
        (20, 5, 1),
        (40, 2, 1),
        (1000, 2, 0),
    ]
    restore_at(base, 40, at(2000))
    assert Table(base, "a").read() == b"a4"


@pytest.mark.parametrize("base_type", [str, Path])
def test_the_base_may_be_a_path_or_a_text(base_type: type, base: Path) -> None:
    assert restore_point_in_time(base_type(base), 10).tables_restored == [("b", 10)]


@pytest.mark.parametrize("target", [-1, U64_MAX + 1])
def test_a_target_that_is_no_u64_is_refused(target: int, base: Path) -> None:
    with pytest.raises(ValueError, match="not in 0"):
        restore_point_in_time(base, target)


def test_an_error_in_one_table_stops_no_other(base: Path) -> None:
    (base / "tables" / "a" / "version.log").write_text("damaged\n")
    report = restore_at(base, U64_MAX, at(1000))
    assert report.tables_restored == [("b", 30)]
    ((name, error),) = report.errors
    assert (name, type(error)) == ("a", LogCorrupted)
    assert (report.is_success, report.is_partial, report.is_failure) == (False, True, False)
    (base / "tables" / "b" / "version.log").write_text("damaged\n")
    assert restore_at(base, U64_MAX, at(1000)).is_failure


@pytest.mark.parametrize("missing", ["base", "tables"])
def test_no_tables_folder_is_no_tables_found_and_makes_nothing(
    missing: str, tmp_path: Path
) -> None:
    base = tmp_path / "base"
    if missing == "tables":
        base.mkdir()
    with pytest.raises(NoTablesFound):
        restore_point_in_time(base, 1)
    assert base.exists() == (missing == "tables")
    assert missing == "base" or list(base.iterdir()) == []


def test_a_lost_current_comes_back_even_after_the_newest_version_is_lost(base: Path) -> None:
    table = Table(base, "a")
    table.current_path.unlink()
    (table.folder / "40.bsdiff").unlink()
    assert restore_at(base, 20, at(1000)).tables_restored == [("a", 20), ("b", 10)]
    assert table.read() == b"a2"


def test_what_a_lost_current_came_back_to_can_be_restored_again(base: Path) -> None:
    table = Table(base, "a")
    table.current_path.unlink()
    restore_at(base, 20, at(1000))
    table.write(b"later", "admin")
    assert table.rebuild(1000) == b"a2"


@pytest.mark.parametrize("target", [5, 20])
def test_a_lost_current_without_a_version_to_come_back_to_is_table_not_found(
    target: int, base: Path
) -> None:
    table = Table(base, "a")
    table.current_path.unlink()
    (table.folder / "20.bsdiff").unlink()
    before = sorted(os.listdir(table.folder))
    ((name, error),) = restore_at(base, target, at(1000)).errors
    assert (name, error.fields) == ("a", {"name": "a"})
    assert isinstance(error, TableNotFound)
    assert sorted(os.listdir(table.folder)) == before


def test_a_current_that_links_to_nowhere_is_table_not_found_and_nothing_is_made_there(
    base: Path,
) -> None:
    table = Table(base, "a")
    table.current_path.unlink()
    table.current_path.symlink_to(base / "nowhere.csv")
    ((name, error),) = restore_at(base, 20, at(1000)).errors
    assert (name, error.kind) == ("a", "TableNotFound")
    assert not (base / "nowhere.csv").exists()


def test_a_current_that_links_to_a_file_stays_a_link_and_the_file_is_restored(base: Path) -> None:
    table = Table(base, "a")
    elsewhere = table.current_path.rename(base / "elsewhere.csv")
    table.current_path.symlink_to(elsewhere)
    assert restore_at(base, 20, at(1000)).errors == []
    assert table.current_path.readlink() == elsewhere
    assert elsewhere.read_bytes() == b"a2"


def test_a_delta_that_is_a_folder_is_a_read_error_with_its_path(base: Path) -> None:
    path = base / "tables" / "a" / "40.bsdiff"
    path.unlink()
    path.mkdir()
    ((_, error),) = restore_at(base, U64_MAX, at(1000)).errors
    assert error.fields == {
        "operation": f"read_delta_file: {path}",
        "reason": "Is a directory (os error 21)",
    }


def test_a_first_delta_that_is_no_file_is_refused_as_rusts_copy_does(base: Path) -> None:
    path = base / "tables" / "a" / "20.bsdiff"
    path.unlink()
    os.mkfifo(path)
    ((_, error),) = restore_at(base, U64_MAX, at(1000)).errors
    assert isinstance(error, IoError)
    assert error.operation == "copy_init_delta"
    assert error.reason.startswith("the source path is neither a regular file nor a symlink")


def test_leftovers_of_crashed_restores_go_and_other_files_stay(base: Path) -> None:
    folder = base / "tables" / "a"
    stays = {"rollback_.tmp", "rollback_1.tmp.bak", "notes.tmp", "rollback_x.tmp"}
    goes = {"rollback.tmp", "rollback_1.tmp", "rollback_99.tmp", "current.new.tmp"}
    for name in stays | goes:
        (folder / name).write_text("left")
    restore_at(base, U64_MAX, at(1000))
    assert stays <= set(os.listdir(folder))
    assert not goes & set(os.listdir(folder))


def test_a_leftover_that_cannot_be_removed_does_not_make_a_restore_fail(base: Path) -> None:
    (base / "tables" / "a" / "rollback.tmp").mkdir()
    assert restore_at(base, U64_MAX, at(1000)).is_success


def test_a_folder_name_that_is_not_utf8_is_restored_and_shown_with_a_mark(base: Path) -> None:
    os.rename(base / "tables" / "a", os.fsencode(base / "tables") + b"/caf\xe9")
    report = restore_at(base, 20, at(1000))
    assert report.tables_restored == [("b", 10), ("caf\ufffd", 20)]


def test_a_long_history_is_rebuilt_in_order_across_tasks(tmp_path: Path) -> None:
    number_of_versions = 5 * chain.TASK_DELTAS + 3
    contents = [b"%d" % number * 40 for number in range(number_of_versions)]
    contents[7] = os.urandom(2 * chain.TASK_BYTES)
    table = make(tmp_path, "t", dict(enumerate(contents, 1)))
    for stamp, content in enumerate(contents, 1):
        assert table.rebuild(stamp) == content


def test_the_first_bad_delta_of_a_long_history_is_the_one_reported(tmp_path: Path) -> None:
    table = make(tmp_path, "t", {stamp: b"%d" % stamp * 40 for stamp in range(1, 100)})
    (table.folder / "90.bsdiff").unlink()
    (table.folder / "70.bsdiff").write_bytes(b"not xz at all")
    (table.folder / "50.bsdiff").write_bytes(delta.diff(b"longer than that" * 99, b"short" * 99))
    with pytest.raises(DeltaApplicationFailed, match="UnexpectedEof"):
        table.rebuild(99)
    assert table.rebuild(49) == b"49" * 40
