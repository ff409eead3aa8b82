"""The port as it is served does the adapter's duty: a database has a registry before the call."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_reedbackup.views.tree import Tree
from reedbase_backup.adapter.loading import load
from reedbase_backup.last import Table, init_registry, restore_point_in_time
from reedbase_backup.last.served import ServedPort


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / ".reed"
    Table(base, "text", clock=lambda: 100).init(b"key|value\n", "admin")
    (base / "registry" / "users.dict").unlink()
    (base / "registry" / "actions.dict").unlink()
    (base / "registry").rmdir()
    return base


def users(base: Path) -> list[str]:
    lines = (base / "registry" / "users.dict").read_text().splitlines()
    return [line.rpartition("|")[0] for line in lines]


CALLS = {
    "create_backup": (),
    "list_backups": (),
    "restore_point_in_time": (50,),
}


@pytest.mark.parametrize("method", CALLS)
def test_a_missing_registry_is_made_before_any_call(method: str, base: Path) -> None:
    port = load("python-last")
    port.functions[method](str(base), *CALLS[method])
    assert users(base) == ["code|username", "0|system", "1|admin"]
    assert (base / "registry" / "actions.dict").is_file()


def test_the_library_itself_makes_nothing_for_a_restore_that_writes_nothing(base: Path) -> None:
    before = Tree.read(base)
    assert restore_point_in_time(base, 50).tables_skipped == ["text"]
    assert before.differences(Tree.read(base)) == []


def test_each_base_gets_its_registry_and_a_known_one_is_left_alone(
    base: Path, tmp_path: Path
) -> None:
    port = ServedPort()
    other = tmp_path / "other"
    init_registry(other)
    (other / "registry" / "users.dict").write_text("code|username|created_at\n7|system|1\n")
    (other / "tables").mkdir()
    for each in (base, other, base):
        port.list_backups(str(each))
    assert users(base)[1:] == ["0|system", "1|admin"]
    assert users(other)[1:] == ["7|system"]


@pytest.mark.parametrize("there", ["nothing", "backups"])
def test_a_folder_that_is_no_database_stays_as_it_is(there: str, tmp_path: Path) -> None:
    base = tmp_path / "base"
    base.mkdir()
    if there == "backups":
        (base / "backups").mkdir()
    assert ServedPort().list_backups(str(base)) == []
    assert not (base / "registry").exists()


def test_a_registry_that_cannot_be_made_is_said_and_the_call_is_made(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (base / "registry").write_text("in the way")
    ((name, error),) = ServedPort().restore_point_in_time(str(base), 100).errors
    assert (name, error.operation) == ("text", "append_users_dict")
    assert "init_registry: I/O error during 'create_registry'" in capsys.readouterr().err
