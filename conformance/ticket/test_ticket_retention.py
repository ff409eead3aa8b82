"""Retention under contract `ticket`: keep the 32 newest, and touch nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import RETENTION
from pytest_reedbackup.databases.archives import UNREADABLE
from pytest_reedbackup.databases.changes import set_file_time
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.base import backups_listing

TINY = DatabaseSpec(tables=1, rows=2)


@case(
    "ticket/create/retention", "After the n-th backup exactly min(n, 32) remain, the newest ones."
)
def test_backup_cleanup_old(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(TINY)
    made: list[str] = []
    pruned: list[tuple[Path, bytes, os.stat_result]] = []
    if reedbackup.clock.is_settable:
        # Midway the seconds get a digit more: as text, 1000000000 sorts before 999999999.
        reedbackup.clock.set(10**9 - 20)
    for count in range(1, RETENTION + 9):
        if count > RETENTION:
            oldest = archive_of(base, made[-RETENTION])
            pruned.append((oldest, oldest.read_bytes(), oldest.stat()))
        made.append(reedbackup.created(base).id)
        _pass_time(reedbackup)
        if count in (1, 2, RETENTION - 1) or count >= RETENTION:
            kept = [info.id for info in reedbackup.listed(base)]
            expect(f"how many backups remain of {count}", len(kept), min(count, RETENTION))
            expect(f"the backups after {count}, newest first", kept, made[::-1][:RETENTION])
    _expect_only_these_archives(base, made, made[-RETENTION:])
    # As where there was no retention until now: several are too many at once.
    for archive, content, status in pruned:
        archive.write_bytes(content)
        os.utime(archive, ns=(status.st_atime_ns, status.st_mtime_ns))
    made.append(reedbackup.created(base).id)
    kept = [info.id for info in reedbackup.listed(base)]
    expect("the backups, of more than one too many", kept, made[::-1][:RETENTION])


@case(
    "ticket/create/retention/one-second",
    "Of 40 backups in one second the 32 created last remain, each with an id of its own.",
)
def test_retention_orders_backups_of_one_second_by_creation(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(TINY)
    made = [reedbackup.created(base).id for _ in range(RETENTION + 8)]
    expect("how many different ids 40 backups have", len(set(made)), len(made))
    kept = [info.id for info in reedbackup.listed(base)]
    expect("the backups that remain, newest first", kept, made[::-1][:RETENTION])


@case(
    "ticket/create/retention/clock-backwards",
    "The backup just made is never pruned, though 32 others carry later times.",
)
def test_retention_never_prunes_the_backup_just_made(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(TINY)
    later = []
    for number in range(RETENTION):
        reedbackup.clock.set(1_800_000_000 + number)
        later.append(reedbackup.created(base).id)
    reedbackup.clock.set(1_700_000_000)
    made = reedbackup.created(base)
    kept = [info.id for info in reedbackup.listed(base)]
    # The 31 newest of the others, and the one just made, which is the oldest by its time.
    expect("the backups that remain, newest first", kept, [*later[:0:-1], made.id])


@case(
    "ticket/create/retention/by-time",
    "Retention goes by the backups' own times, not by the order or the times of their files.",
)
def test_retention_goes_by_the_backups_times(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(TINY)
    later = []
    for number in range(RETENTION):
        reedbackup.clock.set(1_800_000_000 + number)
        later.append(reedbackup.created(base).id)
        # A copied or synchronised archive carries any time.
        set_file_time(archive_of(base, later[-1]), 10**9 - number)
    for number in range(2):
        reedbackup.clock.set(1_700_000_000 + number)
        made = reedbackup.created(base)
    kept = [info.id for info in reedbackup.listed(base)]
    # The first of the two earlier ones had to go for the second.
    expect("the backups that remain, newest first", kept, [*later[:0:-1], made.id])


@cases(
    "ticket/create/retention-foreign",
    "Retention neither counts nor deletes files that are not its backups: {variant}.",
    {
        "other-names": "other-names",
        "folders-and-symlinks": "folders-and-symlinks",
        "unreadable": "unreadable",
    },
)
def test_retention_leaves_foreign_files_alone(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: str
) -> None:
    base = reedbackup_make_db(TINY)
    first = reedbackup.created(base)
    foreign = _put_foreign_files(base, variant, archive_of(base, first.id).read_bytes())
    made = [first.id]
    for _ in range(RETENTION + 2):
        _pass_time(reedbackup)
        made.append(reedbackup.created(base).id)
    kept = [info.id for info in reedbackup.listed(base)]
    expect("the backups that remain, newest first", kept, made[::-1][:RETENTION])
    expect("the foreign files after retention", _existing(base, foreign), foreign)


def _put_foreign_files(base: Path, variant: str, sound: bytes) -> list[str]:
    """Puts files that are none of the module's into backups/; returns their names."""
    backups = base / "backups"
    if variant == "other-names":
        names = ["notes.txt", "+5.tar.gz", "007.tar.gz", "before-migration.tar.gz", "5.tar.gz.bak"]
        for name in names:
            (backups / name).write_bytes(sound)
        return names
    if variant == "folders-and-symlinks":
        (backups / "1000.tar.gz").mkdir()
        (backups / "1000.tar.gz" / "inside").write_text("kept")
        (base.parent / "elsewhere.tar.gz").write_bytes(sound)
        (backups / "1001.tar.gz").symlink_to(base.parent / "elsewhere.tar.gz")
        return ["1000.tar.gz", "1000.tar.gz/inside", "1001.tar.gz"]
    # Some before all backups and some after: who counts them keeps too few.
    names = [
        f"{(2000, 9 * 10**9)[number % 2] + number}.tar.gz" for number in range(len(UNREADABLE))
    ]
    for name, damage in zip(names, UNREADABLE.values(), strict=True):
        (backups / name).write_bytes(damage(sound))
    return names


def _existing(base: Path, names: list[str]) -> list[str]:
    return [name for name in names if os.path.lexists(base / "backups" / name)]


def _expect_only_these_archives(base: Path, made: list[str], kept: list[str]) -> None:
    listing = backups_listing(base)
    found = [backup_id for backup_id in made if f"{backup_id}.tar.gz" in listing]
    expect_that(
        found == kept,
        "the archives on disk",
        expected=f"those of the {len(kept)} newest backups",
        found=f"{len(found)} archives: {found}",
    )


def _pass_time(reedbackup: TicketImplementation) -> None:
    """One second a backup where that costs nothing; else they share seconds, as is allowed."""
    if reedbackup.clock.is_settable:
        reedbackup.clock.advance()
