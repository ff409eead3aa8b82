"""The port where something else stands in the place of a file that a restore opens."""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

import pytest

from pytest_reedbackup.views.tree import Tree
from reedbase_backup.last import RestoreReport, Table, init_registry
from reedbase_backup.last.restore import restore_at


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """Two tables, each of two versions: a at 20 and 40, b at 10 and 30."""
    base = tmp_path / ".reed"
    init_registry(base)
    for name, first in (("a", 20), ("b", 10)):
        table = Table(base, name, clock=iter((first, first + 20)).__next__)
        table.init(f"{name}{first}".encode(), "admin")
        table.write(f"{name}{first + 20}".encode(), "admin")
    return base


def restore_to_20(base: Path) -> RestoreReport:
    return restore_at(base, 20, count(1000).__next__)


def test_without_a_code_for_system_nothing_is_written_and_the_error_says_so(base: Path) -> None:
    (base / "registry" / "users.dict").unlink()
    (base / "registry" / "users.dict").mkdir()
    before = Tree.read(base)
    report = restore_to_20(base)
    assert [name for name, _ in report.errors] == ["a", "b"]
    for _, error in report.errors:
        assert error.fields == {
            "operation": "append_users_dict",
            "reason": "Is a directory (os error 21)",
        }
    assert before.differences(Tree.read(base)) == []


@pytest.mark.parametrize("name", ["rollback.tmp", "rollback_1.tmp", "current.new.tmp"])
@pytest.mark.parametrize("target", ["inside", "../../../outside", "current.csv", "."])
def test_a_symlink_under_the_name_of_a_temporary_file_is_not_followed(
    name: str, target: str, base: Path
) -> None:
    (base / "tables" / "a" / name).symlink_to(target)
    assert restore_to_20(base).is_success
    assert not (base / "tables" / "a" / "inside").exists()
    assert not (base.parent / "outside").exists()
    assert Table(base, "a").read() == b"a20"


@pytest.mark.parametrize(
    ("in_the_way", "operation"),
    [
        (("version.log", "20.bsdiff"), None),
        (("20.bsdiff", ".lock"), "copy_init_delta"),
        ((".lock", "current.new.tmp"), "create_lock_file"),
        (("current.new.tmp", "current.csv"), "write_temp_new"),
        (("current.csv", "../../registry/users.dict"), "read_old_file: {current}"),
    ],
)
def test_of_two_faults_the_first_step_that_fails_is_reported_as_the_baseline_does(
    in_the_way: tuple[str, str], operation: str | None, base: Path
) -> None:
    folder = base / "tables" / "a"
    for name in in_the_way:
        (folder / name).unlink(missing_ok=True)
        (folder / name).mkdir()
    before = Tree.read(folder, exclude=(".lock",))
    error = dict(restore_to_20(base).errors)["a"]
    if operation is None:
        assert error.kind == "LogCorrupted"
    else:
        assert error.fields["operation"] == operation.format(current=folder / "current.csv")
    assert before.differences(Tree.read(folder, exclude=(".lock",))) == []


@pytest.mark.parametrize("name", ["current.csv", ".lock"])
def test_a_fifo_in_the_place_of_a_file_does_not_stop_a_restore_for_ever(
    name: str, base: Path
) -> None:
    path = base / "tables" / "a" / name
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    report = restore_to_20(base)
    assert "b" in dict(report.tables_restored)
    assert {name for name, _ in report.errors} == ({"a"} if name == "current.csv" else set())
