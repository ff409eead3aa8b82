"""Tables: versions are added whole, in order, and never at another's expense."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from reedbase_backup.errors import (
    IoError,
    LogCorrupted,
    TableAlreadyExists,
    TableNotFound,
    VersionNotFound,
)
from reedbase_backup.last import Table, VersionInfo, init_registry
from reedbase_backup.types import U64_MAX

FIRST = b"key|value\na|1\n"
SECOND = b"key|value\na|2\nb|3\n"


def ticking(start: int = 1_700_000_000_000_000_000) -> Callable[[], int]:
    return count(start, 1000).__next__


@pytest.fixture
def table(tmp_path: Path) -> Table:
    init_registry(tmp_path)
    made = Table(tmp_path, "text", clock=ticking())
    made.init(FIRST, "admin")
    return made


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_new_table_has_exactly_the_files_of_the_format(table: Table) -> None:
    first = 1_700_000_000_000_000_000
    assert contents(table.folder) == {
        ".lock": b"",
        "current.csv": FIRST,
        f"{first}.bsdiff": FIRST,
        "version.log": f"{first}|5|1|{len(FIRST)}\n".encode(),
    }


def test_a_write_adds_a_delta_and_a_line_with_its_size(table: Table) -> None:
    second = table.write(SECOND, "editor")
    size = (table.folder / f"{second}.bsdiff").stat().st_size
    assert table.log_path.read_bytes().endswith(f"\n{second}|2|2|{size}\n".encode())
    assert table.read() == SECOND
    assert [table.rebuild(info.timestamp) for info in table.list_versions()] == [SECOND, FIRST]


def test_versions_are_listed_newest_first_with_names(table: Table) -> None:
    second = table.write(SECOND, "editor")
    first = table.log()[0].timestamp
    with table.log_path.open("a") as log:
        log.write("7|77|4000000000|1\n")
    newest, oldest, odd = table.list_versions()
    assert (newest.timestamp, newest.action, newest.user) == (second, "update", "editor")
    assert oldest == VersionInfo(first, "init", "admin", len(FIRST))
    assert odd == VersionInfo(7, "unknown(77)", "unknown(4000000000)", 1)


@pytest.mark.parametrize("after", [b"7|5|1|14\n", b"", b"7|5|1|14\n8|2|1|14\n"])
def test_a_log_that_another_process_changed_is_read_anew(table: Table, after: bytes) -> None:
    table.log_path.write_bytes(b"6|5|1|14\n")
    assert [line.timestamp for line in table.log()] == [6]
    table.log_path.write_bytes(after)
    assert [line.timestamp for line in table.log()] == [int(x[:1]) for x in after.splitlines()]


def test_a_rollback_is_a_new_version_with_the_old_content(table: Table) -> None:
    first = table.log()[0].timestamp
    table.write(SECOND, "admin")
    third = table.rollback(first, "editor")
    assert table.read() == table.rebuild(third) == FIRST
    assert [line.action for line in table.log()] == [5, 2, 2]


@pytest.mark.parametrize("content", [b"", b"\xff\x00binary\r\n", b"no newline", FIRST])
def test_any_content_can_be_a_version(content: bytes, table: Table) -> None:
    written = table.write(content, "admin")
    last = table.write(SECOND, "admin")
    assert table.rebuild(written) == content
    assert table.rebuild(last) == SECOND


def test_timestamps_strictly_increase_even_if_the_clock_does_not(tmp_path: Path) -> None:
    init_registry(tmp_path)
    stamps = iter([2_000_000_000, 50, 50, 50])
    table = Table(tmp_path, "text", clock=lambda: next(stamps))
    table.init(FIRST, "admin")
    table.write(SECOND, "admin")
    table.write(FIRST, "admin")
    assert [line.timestamp for line in table.log()] == [2_000_000_000, 2_000_000_001, 2_000_000_002]


def test_the_last_timestamp_there_can_be_does_not_stop_writing(table: Table) -> None:
    with table.log_path.open("a") as log:
        log.write(f"{U64_MAX}|2|1|5\n")
    assert table.write(SECOND, "admin") < U64_MAX
    assert table.read() == SECOND


def test_an_unused_delta_file_is_never_overwritten(tmp_path: Path) -> None:
    table = Table(tmp_path, "text", clock=lambda: 100)
    table.init(FIRST, "admin")
    (table.folder / "101.bsdiff").write_bytes(b"somebody's")
    assert table.write(SECOND, "admin") == 102
    assert (table.folder / "101.bsdiff").read_bytes() == b"somebody's"


def test_a_table_without_versions_starts_its_history_raw(tmp_path: Path) -> None:
    table = Table(tmp_path, "text", clock=ticking())
    table.folder.mkdir(parents=True)
    table.current_path.write_bytes(b"made by hand")
    written = table.write(SECOND, "admin")
    assert table.rebuild(written) == SECOND
    assert table.log()[0].action == 5


def test_init_refuses_a_table_that_is_there_or_has_a_history(table: Table) -> None:
    before = contents(table.folder)
    with pytest.raises(TableAlreadyExists):
        table.init(SECOND, "admin")
    assert contents(table.folder) == before
    table.current_path.unlink()
    with pytest.raises(TableAlreadyExists):
        table.init(SECOND, "admin")


def test_a_table_that_is_not_there_is_not_found_and_not_made(tmp_path: Path) -> None:
    table = Table(tmp_path, "none")
    for call in (
        table.read,
        table.list_versions,
        lambda: table.write(b"", "admin"),
        lambda: table.rollback(1, "admin"),
    ):
        with pytest.raises(TableNotFound, match="none"):
            call()
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_is_not_there_is_not_found(table: Table) -> None:
    with pytest.raises(VersionNotFound) as caught:
        table.rollback(5, "admin")
    assert caught.value.timestamp == 5


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/etc", "a\0"])
def test_a_name_that_is_no_folder_name_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the name"):
        Table(tmp_path, name)


def test_a_damaged_log_stops_a_write_and_changes_nothing(table: Table) -> None:
    with table.log_path.open("a") as log:
        log.write("damaged\n")
    before = contents(table.folder)
    with pytest.raises(LogCorrupted, match="Invalid format at line 2"):
        table.write(SECOND, "admin")
    assert contents(table.folder) == before


def test_a_symlinked_current_stays_a_symlink_and_its_target_changes(
    table: Table, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    target = table.current_path.rename(elsewhere / "kept.csv")
    table.current_path.symlink_to(target)
    table.write(SECOND, "admin")
    assert table.current_path.is_symlink()
    assert contents(elsewhere) == {"kept.csv": SECOND}


def test_current_and_log_keep_their_modes(table: Table) -> None:
    table.current_path.chmod(0o640)
    table.log_path.chmod(0o600)
    table.write(SECOND, "admin")
    assert table.current_path.stat().st_mode & 0o7777 == 0o640
    assert table.log_path.stat().st_mode & 0o7777 == 0o600


def test_a_hard_link_keeps_the_old_content(table: Table, tmp_path: Path) -> None:
    os.link(table.current_path, tmp_path / "snapshot")
    table.write(SECOND, "admin")
    assert (tmp_path / "snapshot").read_bytes() == FIRST


@pytest.mark.parametrize("operation", ["read", "write"])
def test_a_folder_in_the_place_of_current_is_an_io_error(operation: str, table: Table) -> None:
    table.current_path.unlink()
    table.current_path.mkdir()
    call = table.read if operation == "read" else lambda: table.write(b"", "admin")
    with pytest.raises(IoError) as caught:
        call()
    path = f": {table.current_path}" if operation == "write" else ""
    assert caught.value.fields == {
        "operation": f"read_old_file{path}" if path else "read_current",
        "reason": "Is a directory (os error 21)",
    }


def test_a_read_only_current_is_not_replaced() -> None:
    # Root may write everything, so a process of nobody's tries, in a folder that it may enter.
    program = (
        "import os, sys\n"
        "from reedbase_backup.errors import IoError\n"
        "from reedbase_backup.last import Table\n"
        "if os.geteuid() == 0: os.seteuid(65534)\n"
        "try: Table(sys.argv[1], 'text').write(b'', 'admin')\n"
        "except IoError as error: print(error.operation, error.reason)\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        table = Table(folder, "text")
        table.init(FIRST, "admin")
        for path in (table.base_path, *table.base_path.rglob("*")):
            path.chmod(0o777)
        table.current_path.chmod(0o444)
        done = subprocess.run(
            [sys.executable, "-c", program, folder], capture_output=True, text=True, check=True
        )
        assert done.stdout.strip() == "write_current Permission denied (os error 13)"
        assert table.read() == FIRST
