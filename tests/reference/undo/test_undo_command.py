"""`reedbackup restore --undoable` and `--undo`: what they say, ask and refuse."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import BackupAt, ReadDatabase
from reference.cli.terminals.terminal import at_terminal

from reedbase_backup import create_backup
from reedbase_backup.cli.commands import main
from reedbase_backup.undo import replaced, restore_undoably

QUESTION = "Undo all the same? [y/N] "
Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs `reedbackup restore` on arguments: its exit status, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        status = main(["restore", *map(str, arguments)])
        return status, *capsys.readouterr()

    return call


@pytest.fixture
def changed(base: Path, backup_at: BackupAt) -> Path:
    """A database with a file that its backup has otherwise."""
    backup_at(base, 1000)
    (base / "tables" / "text" / "current.csv").write_text("not saved")
    return base


def test_a_restore_says_how_to_undo_it_and_the_undo_what_came_back(
    changed: Path, say: Say, database: ReadDatabase
) -> None:
    before = database(changed)
    status, out, err = say(changed, "--to", "latest", "--undoable")
    assert (status, err) == (0, "")
    assert re.fullmatch(
        rf"Restored backup 1000 of .*\nreedbackup restore {changed} --undo brings back what was"
        r" there before, once\.\n",
        out,
    )
    status, out, err = say(changed, "--undo")
    assert (status, err) == (0, "")
    assert re.fullmatch(
        r"Brought back what the restore of \S+ replaced: 2 tables, [\d.]+ KiB, in [\d.]+ m?s\n", out
    )
    assert database(changed) == before


def test_json_has_the_figures_and_when_it_was_replaced(changed: Path, say: Say) -> None:
    _, out, _ = say(changed, "--to", "latest", "--undoable", "--json")
    assert json.loads(out)["id"] == "1000"
    kept = replaced(changed)
    assert kept is not None
    _, out, _ = say(changed, "--undo", "--json")
    fields = json.loads(out)
    assert fields["replaced_at"] == kept.at
    assert fields.keys() == {"replaced_at", "tables_restored", "total_bytes", "duration_ms"}


def test_nothing_to_undo_is_an_error_that_says_how_there_would_be(changed: Path, say: Say) -> None:
    status, _, err = say(changed, "--undo")
    assert status == 1
    assert "keeps nothing that a restore replaced" in err
    assert f"hint: reedbackup restore {changed} --to WHEN --undoable keeps" in err
    status, out, _ = say(changed, "--undo", "--json")
    assert json.loads(out)["error"]["kind"] == "NothingToUndo"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--undo", "--to", "latest"],
        ["--undo", "--undoable"],
        ["--undo", "--dry-run"],
        ["--undo", "--target", "elsewhere"],
        ["--undo", "--from", "file:///elsewhere"],
        ["--to", "latest", "--undoable", "--target", "elsewhere"],
        [],
    ],
)
def test_what_makes_no_sense_together_is_a_wrong_call(
    changed: Path, database: ReadDatabase, arguments: list[str]
) -> None:
    restore_undoably(changed, 1000)
    before = database(changed)
    try:
        status = main(["restore", str(changed), *arguments])
    except SystemExit as end:
        status = int(end.code or 0)
    assert status == 2
    assert database(changed) == before
    assert replaced(changed) is not None


def test_it_asks_before_what_neither_a_backup_nor_what_comes_back_holds_is_lost(
    changed: Path, database: ReadDatabase
) -> None:
    (changed / "tables" / "routes" / "kept too").write_text("not saved, but kept")
    restore_undoably(changed, 1000)
    (changed / "tables" / "routes" / "kept too").write_text("not saved, but kept")
    (changed / "tables" / "routes" / "lost").write_text("not saved")
    before = database(changed)
    status, shown = at_terminal("restore", changed, "--undo", typed={QUESTION: "n\n"})
    assert status == 1
    assert "No backup holds 1 file as now" in shown
    assert "\n  tables/routes/lost\n" in shown
    assert "nothing was undone, and nothing has changed" in shown
    assert database(changed) == before
    status, shown = at_terminal("restore", changed, "--undo", typed={QUESTION: "y\n"})
    assert (status, "Brought back" in shown) == (0, True)
    assert (changed / "tables" / "text" / "current.csv").read_text() == "not saved"


@pytest.mark.parametrize("why", ["--yes", "saved"])
def test_nothing_is_asked_with_yes_or_where_nothing_is_lost(changed: Path, why: str) -> None:
    restore_undoably(changed, 1000)
    (changed / "tables" / "routes" / "new").write_text("new")
    if why == "saved":
        create_backup(changed)
    options = ["--yes"] if why == "--yes" else []
    status, shown = at_terminal("restore", changed, "--undo", *options)
    assert (status, "y/N" in shown) == (0, False)


def test_nothing_is_asked_where_what_is_replaced_is_kept(
    changed: Path, database: ReadDatabase
) -> None:
    before = database(changed)
    status, shown = at_terminal("restore", changed, "--to", "latest", "--undoable")
    assert (status, "y/N" in shown) == (0, False)
    assert main(["restore", str(changed), "--undo"]) == 0
    assert database(changed) == before


INTERRUPTED = """
import sys
from reedbase_backup.swap import {module} as module
real = module.{name}
def interrupt(*given):
    {first}
    {then}
module.{name} = interrupt
from reedbase_backup.cli.commands import main
sys.exit(main())
"""
CALL, RAISE = "real(*given)", "raise KeyboardInterrupt"


@pytest.mark.parametrize(
    ("module", "name", "first", "then", "words", "is_undone"),
    [
        ("undo", "rename", RAISE, "", "nothing was undone, and the database is as it was", False),
        ("undo", "discard", RAISE, "", "what was replaced is back, whole", True),
        ("steps", "execute", CALL, RAISE, "midway; the next create or restore completes", False),
    ],
)
def test_ctrl_c_says_which_tree_is_there(
    changed: Path,
    database: ReadDatabase,
    module: str,
    name: str,
    first: str,
    then: str,
    words: str,
    is_undone: bool,
) -> None:
    before = database(changed)
    restore_undoably(changed, 1000)
    restored = database(changed)
    code = INTERRUPTED.format(module=module, name=name, first=first, then=then)
    command = (sys.executable, "-c", code)
    status, shown = at_terminal("restore", changed, "--undo", "--yes", command=command)
    assert status == 130
    assert re.search(rf"\nreedbackup: interrupted;? {words}", shown)
    create_backup(changed)
    assert database(changed) in ([before] if is_undone else [restored])
