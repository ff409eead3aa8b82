"""Ctrl-C at a terminal: status 130, and which state the database is in, on a line of its own."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from fixture_types import BackupAt, ReadDatabase
from reference.cli.terminals.terminal import at_terminal

from reedbase_backup import create_backup, list_backups, restore_point_in_time

WAITING = """
import sys, time
from {module} import {name} as owner
def waiting(*given, **named):
    print("waiting", flush=True)
    time.sleep(60)
owner.{function} = waiting
from reedbase_backup.cli.commands import main
sys.exit(main())
"""


def interrupted(where: str, *arguments: object) -> list[str]:
    """The lines after Ctrl-C in a call that waits in a function."""
    module, name, function = where.rsplit(".", 2)
    code = WAITING.format(module=module, name=name, function=function)
    command = (sys.executable, "-c", code)
    status, shown = at_terminal(*arguments, command=command, columns=200, typed={"waiting": "\x03"})
    assert status == 130
    assert "Traceback" not in shown
    lines = [line for line in shown.split("\n") if line]
    assert [line.startswith("reedbackup: ") for line in lines].count(True) == 1
    return lines


@pytest.mark.parametrize(
    ("where", "is_made"),
    [
        ("reedbase_backup.archive.writer.ArchiveWriter.finish", False),
        ("reedbase_backup.disk.durable.PartialFile.publish", False),
        ("reedbase_backup.retention.delete", True),
    ],
)
def test_a_create_says_whether_there_is_a_backup(base: Path, where: str, is_made: bool) -> None:
    last = interrupted(where, "create", base)[-1]
    assert ("the new backup is made" in last) is is_made
    assert ("no backup was made" in last) is not is_made
    assert len(list_backups(base)) == is_made


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ("reedbase_backup.swap.transaction.Transaction.commit", "nothing was restored"),
        ("reedbase_backup.swap.transaction.Transaction.discard", "the restore is done"),
    ],
)
def test_a_restore_says_which_tree_is_there(
    base: Path, database: ReadDatabase, backup_at: BackupAt, where: str, words: str
) -> None:
    old = database(base)
    backup_at(base, 1000)
    (base / "tables" / "text" / "current.csv").write_text("new")
    new = database(base)
    arguments = ("restore", base, "--to", "latest", "--yes")
    assert words in interrupted(where, *arguments)[-1]
    assert database(base) == (new if words.startswith("nothing") else old)


def test_a_restore_that_is_stopped_midway_for_good_says_who_goes_on(
    base: Path, database: ReadDatabase
) -> None:
    old = database(base)
    create_backup(base)
    (base / "tables" / "text" / "current.csv").write_text("new")
    new = database(base)
    arguments = ("restore", base, "--to", "latest", "--yes")
    # The first Ctrl-C comes within the swap, a second one as that is undone.
    command = (
        sys.executable,
        "-c",
        """
import sys
from reedbase_backup.swap import steps
done = steps.execute
def execute(*given):
    done(*given)
    raise KeyboardInterrupt
steps.execute = execute
from reedbase_backup.cli.commands import main
sys.exit(main())
""",
    )
    status, shown = at_terminal(*arguments, columns=200, command=command)
    assert status == 130
    assert "interrupted midway; the next create or restore completes the restore" in shown
    restore_point_in_time(base, 2**63)
    assert database(base) in (old, new)


def test_what_only_reads_says_that_nothing_has_changed(base: Path) -> None:
    where = "reedbase_backup.archive.reader.ArchiveReader.read_through"
    create_backup(base)
    last = interrupted(where, "verify", base)[-1]
    assert last == "reedbackup: interrupted; nothing has changed"
