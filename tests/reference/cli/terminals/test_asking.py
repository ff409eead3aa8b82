"""Nothing that no backup holds is lost without a word, and no script waits for an answer."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from fixture_types import BackupAt, ReadDatabase
from reference.cli.terminals.terminal import COMMAND, at_terminal

from reedbase_backup import create_backup

QUESTION = "Restore all the same? [y/N] "


@pytest.fixture
def unsaved(base: Path, backup_at: BackupAt) -> Path:
    """A database with two backups, and one file that neither holds as it is."""
    backup_at(base, 1000)
    (base / "tables" / "routes" / "current.csv").write_text("second")
    backup_at(base, 2000)
    (base / "tables" / "text" / "current.csv").write_text("not saved")
    return base


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04", "maybe\n"])
def test_whoever_does_not_say_yes_keeps_what_no_backup_holds(
    unsaved: Path, database: ReadDatabase, answer: str
) -> None:
    before = database(unsaved)
    status, shown = at_terminal("restore", unsaved, "--to", "1000", typed={QUESTION: answer})
    assert status == 1
    assert "No backup holds 1 file as now" in shown
    assert "\n  tables/text/current.csv\n" in shown
    assert "nothing was restored, and nothing has changed" in shown
    assert "reedbackup create" in shown
    assert database(unsaved) == before


def test_a_yes_restores(unsaved: Path) -> None:
    status, shown = at_terminal("restore", unsaved, "--to", "1000", typed={QUESTION: "y\n"})
    assert status == 0
    assert "This restores backup 1000 of " in shown
    assert "Restored backup 1000" in shown
    assert (unsaved / "tables" / "text" / "current.csv").read_text() != "not saved"


def test_ctrl_c_at_the_question_changes_nothing(unsaved: Path, database: ReadDatabase) -> None:
    before = database(unsaved)
    status, shown = at_terminal("restore", unsaved, "--to", "1000", typed={QUESTION: "\x03"})
    assert status == 130
    assert "\nreedbackup: interrupted" in shown
    assert database(unsaved) == before


def test_nothing_is_asked_with_yes(unsaved: Path) -> None:
    status, shown = at_terminal("restore", unsaved, "--to", "1000", "--yes")
    assert (status, "y/N" in shown) == (0, False)


@pytest.mark.parametrize("kept_by", ["the newest", "an older one", "the one that is restored"])
def test_nothing_is_asked_where_some_backup_holds_it_all(
    base: Path, backup_at: BackupAt, kept_by: str
) -> None:
    current = base / "tables" / "text" / "current.csv"
    contents = {"the newest": "122", "an older one": "121", "the one that is restored": "112"}
    for second, content in enumerate(contents[kept_by], 1):
        current.write_text(content)
        backup_at(base, second)
    current.write_text("1" if kept_by != "the newest" else "2")
    if kept_by == "the one that is restored":
        current.write_text("1")
    status, shown = at_terminal("restore", base, "--to", "2")
    assert (status, "y/N" in shown) == (0, False)


def test_a_damaged_backup_holds_nothing(unsaved: Path) -> None:
    create_backup(unsaved)
    newest = max((unsaved / "backups").iterdir(), key=lambda path: int(path.name.split(".")[0]))
    content = bytearray(newest.read_bytes())
    content[len(content) // 2] ^= 1
    newest.write_bytes(content)
    status, shown = at_terminal("restore", unsaved, "--to", "1000", typed={QUESTION: "n\n"})
    assert status == 1
    assert "tables/text/current.csv" in shown


def test_a_symlink_in_the_database_is_not_lost_without_a_word(unsaved: Path) -> None:
    (unsaved / "tables" / "link").symlink_to("text")
    shown = at_terminal("restore", unsaved, "--to", "1000", typed={QUESTION: "n\n"}).text
    assert "  tables/link\n" in shown


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_script_is_never_asked_and_goes_on(unsaved: Path, options: list[str]) -> None:
    command = [*COMMAND, "restore", str(unsaved), "--to", "1000", *options]
    done = subprocess.run(
        command, stdin=subprocess.PIPE, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")
    if options:
        assert json.loads(done.stdout)["id"] == "1000"
    assert (unsaved / "tables" / "text" / "current.csv").read_text() != "not saved"


def test_the_question_keeps_json_clean(unsaved: Path) -> None:
    """It is on stderr: whoever pipes the JSON on is still asked, and gets nothing else."""
    arguments = ["restore", str(unsaved), "--to", "1000", "--json"]
    answer = {QUESTION: "y\n"}
    output = unsaved.parent / "out.json"
    quoted = f'exec "$@" > {output}'
    shell = ("sh", "-c", quoted, "sh", *COMMAND)
    assert at_terminal(*arguments, typed=answer, command=shell).status == 0
    assert json.loads(output.read_text())["id"] == "1000"
