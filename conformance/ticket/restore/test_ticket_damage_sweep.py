"""Archives damaged at every place under contract `ticket`: refused, or none the worse for it."""

from __future__ import annotations

from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import pack
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.layout import finish_folder, make_folder, write_file
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.injection.sweeps.damaged import sweep_damage
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.case import Kind, case

# So few that each byte of the archive can be damaged in each way.
_FEW = DatabaseSpec(tables=1, rows=4)


@case(
    "ticket/restore/corrupt/everywhere",
    "Whatever is damaged in its archive: restore refuses it, or is right where it means nothing.",
    kind=Kind.SWEEP,
)
def test_its_own_archive_is_damaged_everywhere(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, reedbackup_sweep: Sweeper
) -> None:
    base = _small_base(reedbackup_make_db)
    reedbackup.created(base)
    reedbackup.clock.advance()
    made = reedbackup.created(base)
    change_everything(base)
    sweep_damage(reedbackup_sweep, reedbackup, base, made.id, made.timestamp)


@case(
    "ticket/restore/corrupt/foreign-everywhere",
    "Whatever is damaged in a tar.gz of others: refused, or right where it means nothing.",
    kind=Kind.SWEEP,
)
def test_a_foreign_archive_is_damaged_everywhere(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, reedbackup_sweep: Sweeper
) -> None:
    base = _small_base(reedbackup_make_db)
    time = reedbackup.created(base).timestamp - 10
    pack(base, archive_of(base, str(time)))
    change_everything(base)
    sweep_damage(reedbackup_sweep, reedbackup, base, str(time), time)


def _small_base(make_database: MakeDatabase) -> Path:
    base = make_database(_FEW)
    # With times that are the same in each worker: they are in the archive, whose places they share.
    indices = make_folder(base / "indices")
    write_file(indices / "text.key.btree", b"a tree of keys")
    finish_folder(indices)
    return base
