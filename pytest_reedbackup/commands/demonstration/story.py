"""The story: a database, three backups, a damage, a restore, a power cut."""

from __future__ import annotations

import time
from pathlib import Path

from pytest_reedbackup.commands.demonstration.power import cut_power
from pytest_reedbackup.commands.demonstration.telling import Teller, went_wrong
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.edits import write_version
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.archive.admission import ROOTS

_DATABASE = DatabaseSpec(tables=3, rows=1_500, versions=3, indices=2)
_BACKUPS = 3
_RESTORE = "reedbackup restore .reed --to latest --yes"
_COMPARE = "reedbackup diff .reed latest live"

Trees = dict[str, Tree]


def tell(teller: Teller, power_cuts: int) -> None:
    """Tell it all, with the power cut at so many moments.

    Raise Failed where it does not come out as it is told.
    """
    teller.tell(
        f"Real commands and what they print, on a new database in {teller.where}. It takes about"
        " half a minute."
    )
    _make(teller)
    _back_up(teller)
    before = _trees(teller.base)
    _damage(teller)
    if _trees(teller.base) == before:
        raise went_wrong("the damage has changed nothing")
    _restore(teller)
    if _trees(teller.base) != before:
        raise went_wrong("the restored trees are not those that were backed up")
    teller.tell("Every file and folder is there again, with its content, mode and time.")
    _cut_power(teller, power_cuts, before)
    _say_what_next(teller)


def _trees(base: Path) -> Trees:
    return {root: Tree.read(base / root) for root in ROOTS}


def _make(teller: Teller) -> None:
    teller.begin("1/5 A database")
    teller.tell(
        "ReedBase keeps a database in a folder, .reed. Its data is in tables/ and indices/, and"
        " a backup holds these two. This one is new."
    )
    build(_DATABASE, teller.base)
    teller.run("ls .reed .reed/tables")


def _back_up(teller: Teller) -> None:
    teller.begin("2/5 Three backups")
    teller.tell(
        "Each is one file in .reed/backups, which tar reads, too. Before the second and the"
        " third, ReedBase writes a row to the table text."
    )
    for number in range(_BACKUPS):
        if number:
            _write_row(teller.base / "tables" / "text", f"row {number}\n")
        teller.run("reedbackup create .reed")
    teller.run("reedbackup list .reed")


def _write_row(table: Path, row: str) -> None:
    # In another second, so that each backup is of its own.
    time.sleep(1 - time.time() % 1)
    content = (table / "current.csv").read_bytes() + row.encode()
    write_version(table, content, time.time_ns())


def _damage(teller: Teller) -> None:
    teller.begin("3/5 Damage")
    teller.tell("Somebody empties one table, and deletes another.")
    teller.run("cp /dev/null .reed/tables/text/current.csv")
    teller.run("rm -r .reed/tables/routes")
    teller.tell("What is live now, against the latest backup: M has changed, - is gone.")
    teller.run(_COMPARE)


def _restore(teller: Teller) -> None:
    teller.begin("4/5 A restore")
    teller.tell(
        "--to takes latest, an id of the list, a date, or 1h for the newest that is an hour old."
        " At a terminal, restore asks before it overwrites what no backup holds, as here the"
        " emptied table; --yes has answered."
    )
    teller.run(_RESTORE)
    teller.run(_COMPARE)


def _cut_power(teller: Teller, power_cuts: int, before: Trees) -> None:
    teller.begin("5/5 A power cut")
    if not power_cuts:
        teller.tell("Left out, as --power-cuts 0 says.")
        return
    teller.tell("Another table is deleted, and in the midst of its restore the power goes.")
    teller.run("rm -r .reed/tables/content")
    damaged = _trees(teller.base)
    cut_power(teller, power_cuts, lambda base: _which(_trees(base), damaged, before))
    teller.run(_RESTORE)


def _which(found: Trees, damaged: Trees, before: Trees) -> str:
    if found == before:
        return "n"
    if found == damaged:
        return "o"
    raise AssertionError("neither all of the old trees nor all of the new ones")


def _say_what_next(teller: Teller) -> None:
    teller.begin("Where to go next")
    for line in (
        "  reedbackup create --help    each command's help has examples",
        "  reedbackup doctor BASE      what is wrong with a database, and what to type",
        "  reedbackup verify BASE      whether each backup would restore",
        "  reedbackup cases            what an implementation of backups is held against:",
        "                              pytest --reedbackup-impl=python runs all of that",
    ):
        teller.tell(line)
