"""create_backup under contract `ticket` beside the database's own writers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from random import Random

from pytest_reedbackup.checks.expectations import (
    expect,
    expect_named,
    expect_same_tree,
    expect_that,
)
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.edits import locked
from pytest_reedbackup.databases.spec import SMALL, DatabaseSpec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.implementations.answers import Answered, Refused, refusal_of
from pytest_reedbackup.injection.sweeps.halted.hot import expect_whole, sweep_hot
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.injection.together import BUSY, together
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.injection.writers import HALT_SECS, create_table, writers
from pytest_reedbackup.model.adapter_faults import TimedOut
from pytest_reedbackup.model.case import Kind, Waits, case, cases
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.views.base import source_tree
from pytest_reedbackup.views.tree import Tree

# First, last and amidst of the tables that there are (content, routes, text), in any order.
WRITTEN = ("a_written", "s_written", "z_written")

MOST_CREATES = 10
# Enough for the slowest; what is quick makes all of them in less.
CREATING_SECS = 4.0
FEWEST_CREATES = 5

LOCK_LIMIT_SECS = 60
"""Contract `ticket`, create/hot: a documented time of at most 60 s."""
# For a busy machine to tell of it.
MARGIN_SECS = 15


@case(
    "ticket/create/hot",
    "A table that writers write to is in the backup as before or after each write.",
    waits=Waits.OFTEN,
)
def test_a_table_is_never_in_between(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = _database(reedbackup, reedbackup_make_db)
    made: list[str] = []
    with writers("busy", base, WRITTEN):
        together(reedbackup, [lambda process: _create_on(process, base, made)])
    expect_that(
        bool(made),
        "what came of creates beside writers that let go of each lock at once",
        expected="a backup",
        found="an error each time",
    )


def _create_on(process: Served, base: Path, made: list[str]) -> None:
    deadline = time.monotonic() + CREATING_SECS
    for number in range(1, MOST_CREATES + 1):
        answer = process.create_backup(base)
        if isinstance(answer, Answered):
            made.append(answer.value.id)
            expect_whole(base, made[-1], WRITTEN, f"backup {len(made)} beside writers")
        else:
            # Who found them locked each time, or at work, may say so.
            refusal_of(answer, "create_backup beside writers", BUSY)
        if time.monotonic() > deadline and number >= FEWEST_CREATES:
            break


@cases(
    "ticket/create/hot/amidst",
    "A table whose writer halts amidst a write is backed up after it, or not at all ({variant}).",
    {"first": WRITTEN[:1], "middle": WRITTEN[1:2], "last": WRITTEN[2:]},
    waits=Waits.MOSTLY,
)
def test_a_writer_is_waited_for(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: Sequence[str]
) -> None:
    base = _database(reedbackup, reedbackup_make_db)
    with writers("once", base, variant):
        answer = reedbackup.create_backup(base)
    what = f"a backup while a writer halts for {HALT_SECS} s amidst a write to {variant[0]}"
    if isinstance(answer, Refused):
        expect_named(refusal_of(answer, what, ("LockTimeout",)), variant[0], what)
    else:
        expect_whole(base, answer.value.id, WRITTEN, what)


@case(
    "ticket/create/hot/lock-stays",
    "A lock that stays taken ends in LockTimeout, which names the table, within 60 s.",
    waits=Waits.MOSTLY,
)
def test_a_lock_that_stays_taken_ends_in_an_error(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = _database(reedbackup, reedbackup_make_db)
    kept = reedbackup.created(base)
    before = source_tree(base)
    reedbackup.clock.advance()
    with (
        locked(base / "tables" / WRITTEN[1]),
        reedbackup.connection.waited_for(LOCK_LIMIT_SECS + MARGIN_SECS),
    ):
        _expect_lock_timeout(reedbackup, base, WRITTEN[1])
        expect_same_tree("all but backups/", source_tree(base), before)
        expect("the backups after LockTimeout", reedbackup.listed(base), [kept])
    made = reedbackup.created(base)
    expect_whole(base, made.id, WRITTEN, "the backup once the lock is free")
    expect("the backups then", reedbackup.listed(base), [made, kept])
    unknown = Tree.read(base / "backups").entries.keys() - {
        ".",
        f"{made.id}.tar.gz",
        f"{kept.id}.tar.gz",
    }
    expect_that(
        not any(name.endswith(".tar.gz") for name in unknown),
        "what is in backups/ then",
        expected="no archive beside these two",
        found=sorted(unknown),
    )


@case(
    "ticket/create/hot/each-call",
    "Whichever calls of create a writer comes between, a table is as before or after its write.",
    basic=True,  # writers beside it hit the moment only when the machine is not busy
    kind=Kind.SWEEP,
    weight=3,
)
def test_a_write_comes_between_any_two_calls(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, reedbackup_sweep: Sweeper
) -> None:
    base = reedbackup_make_db(DatabaseSpec(tables=1, rows=4))
    written = (WRITTEN[0], WRITTEN[2])  # the first and the last
    for name in written:
        create_table(base, name)
    sweep_hot(reedbackup_sweep, reedbackup, base, written)


def _expect_lock_timeout(reedbackup: TicketImplementation, base: Path, table: str) -> None:
    what = f"create_backup while the lock of {table} stays taken"
    try:
        answer = reedbackup.create_backup(base)
    except TimedOut:
        raise BrokenPromise(
            what,
            expected=f"LockTimeout within {LOCK_LIMIT_SECS} s",
            found=f"no answer within {LOCK_LIMIT_SECS + MARGIN_SECS} s",
            cause=Cause.NO_ANSWER,
        ) from None
    expect_named(refusal_of(answer, what, ("LockTimeout",)), table, what)


def _database(reedbackup: TicketImplementation, make_database: MakeDatabase) -> Path:
    """Tables that take a while to read, with writers that say which version they wrote."""
    reedbackup.connection.command  # noqa: B018 - what it does with locks is not recorded
    base = make_database(SMALL)
    for name in WRITTEN:
        create_table(base, name)
        for number in range(60):
            padding = base / "tables" / name / f"{number:02}.padding"
            padding.write_bytes(Random(number).randbytes(1 << 12))
    return base
