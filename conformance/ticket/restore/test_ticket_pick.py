"""Which backup a restore takes under contract `ticket`, for any target and any history."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of, backup_at
from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases import edits
from pytest_reedbackup.databases.archives import pack
from pytest_reedbackup.databases.changes import change_everything, set_file_time
from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.databases.spec import SMALL
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.implementations.answers import Refused, refusal_of
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.base import live_tree
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.types import U64_MAX


class History:
    """Three backups of three different trees, each three seconds after the one before.

    Where the clock can be set, that of the latest time is created first. Where
    it cannot, they are the implementation's `own` after real seconds, or plain
    archives without waiting.
    """

    # As text, 99999997 sorts after 100000000.
    TIMES = (99_999_997, 100_000_000, 100_000_003)

    def __init__(self, reedbackup: TicketImplementation, base: Path, *, own: bool = False) -> None:
        self.base = base
        trees: dict[int, Tree] = {}
        waits = own and not reedbackup.clock.is_settable
        order = self.TIMES if waits else (self.TIMES[2], *self.TIMES[:2])
        for number, seconds in enumerate(order):
            table = sorted(child for child in (base / "tables").iterdir() if child.is_dir())[0]
            newest = edits.newest_version(table) or 0
            edits.write_version(table, b"key|value\nversion|%d\n" % number, newest + 1)
            tree = live_tree(base)
            if waits:
                reedbackup.clock.advance(3 if number else 0)
                made = reedbackup.created(base)
                backup_id, time = made.id, made.timestamp
            else:
                backup_id, time = backup_at(reedbackup, base, seconds)
            trees[time] = tree
            # A copied or synchronised archive carries any time: here, the oldest the latest.
            file_time = 3 * 10**9 - time
            set_file_time(archive_of(base, backup_id), file_time)
        self.times = sorted(trees)
        self.trees = [trees[time] for time in self.times]

    def copy(self, name: str) -> Path:
        """A copy of the base, for a restore that no other restore went before."""
        copy = self.base.parent / name / self.base.name
        copy.parent.mkdir()
        clone_tree(self.base, copy)
        return copy


@case("ticket/restore/pick", "Restore takes the newest backup at or before the target.")
def test_restore_takes_the_newest_at_or_before(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    history = History(reedbackup, reedbackup_db, own=True)
    first, second, third = history.times
    expected_by_target = {
        first: 0,
        first + 1: 0,
        second - 1: 0,
        second: 1,
        second + 1: 1,
        third: 2,
        third + 1000: 2,
        # Also as text it comes after them all, of which the first is then the last.
        int("9" * len(str(third))): 2,
    }
    for target, number in expected_by_target.items():
        base = history.copy(f"to {target}")
        change_everything(base)
        reedbackup.restored(base, target)
        what = f"the tree after a restore to {target} of backups at {history.times}"
        expect_same_tree(what, live_tree(base), history.trees[number])


@case("ticket/restore/pick/tie", "Of the backups of one second, restore takes the last created.")
def test_restore_takes_the_latest_created_of_one_second(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    # Twelve, for as text the tenth sorts before the second.
    for count in (2, 12):
        base = reedbackup_make_db(SMALL)
        table = sorted(child for child in (base / "tables").iterdir() if child.is_dir())[0]
        for number in range(count):
            (table / "current.csv").write_text(f"key|value\nversion|{number}\n")
            made = reedbackup.created(base)
        expected = live_tree(base)
        change_everything(base)
        reedbackup.restored(base, made.timestamp)
        what = f"the tree of the last of {count} backups of one second"
        expect_same_tree(what, live_tree(base), expected)


@case(
    "ticket/restore/pick/foreign-names",
    "Restore takes no archive under another name, though the number in it would fit better.",
)
def test_restore_takes_no_archive_under_another_name(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    expected = live_tree(reedbackup_db)
    made = reedbackup.created(reedbackup_db)
    change_everything(reedbackup_db)
    for name in ("+{}.tar.gz", "0{}.tar.gz", " {}.tar.gz", "{}.tar.gz.bak", "{}.tar"):
        pack(reedbackup_db, reedbackup_db / "backups" / name.format(made.timestamp + 5))
    reedbackup.restored(reedbackup_db, made.timestamp + 9)
    expect_same_tree("the tree", live_tree(reedbackup_db), expected)


@case("ticket/restore/none", "Where every backup is later, restore answers BackupNotFound.")
def test_restore_missing_backup(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    oldest = 1_000_000_000
    for seconds in (oldest + 5, oldest):
        backup_at(reedbackup, reedbackup_db, seconds)
    change_everything(reedbackup_db)
    before = Tree.read(reedbackup_db)
    target = oldest - 1
    answer = reedbackup.restore_point_in_time(reedbackup_db, target)
    refusal = refusal_of(answer, f"a restore to {target}", ("BackupNotFound",))
    expect_same_tree("the base", Tree.read(reedbackup_db), before)
    _expect_figure(refusal, "target", target)
    _expect_figure(refusal, "oldest timestamp there is", oldest)


@case("ticket/restore/none/no-backups", "Without any backup restore answers BackupNotFound.")
def test_restore_without_backups(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    before = Tree.read(reedbackup_db)
    answer = reedbackup.restore_point_in_time(reedbackup_db, 1_800_000_000)
    refusal = refusal_of(answer, "a restore", ("BackupNotFound",))
    expect_same_tree("the base", Tree.read(reedbackup_db), before)
    _expect_figure(refusal, "target", 1_800_000_000)


@case(
    "ticket/restore/none/no-base",
    "A restore of a base that is not there is refused, and nothing is created.",
)
def test_restore_without_a_base(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    before = Tree.read(reedbackup_db.parent)
    typo = reedbackup_db.parent / "typo" / ".reed"
    refusal_of(reedbackup.restore_point_in_time(typo, 1_800_000_000), "a restore")
    expect_same_tree("the folder around", Tree.read(reedbackup_db.parent), before)


@case("ticket/restore/idempotent/sequence", "A restore after a restore works, back and forth.")
def test_restores_follow_restores(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    history = History(reedbackup, reedbackup_db)
    for number in (0, 2, 1, 0, 2):
        reedbackup.restored(reedbackup_db, history.times[number])
        what = f"the tree after the restore to backup {number + 1}"
        expect_same_tree(what, live_tree(reedbackup_db), history.trees[number])
    made = reedbackup.created(reedbackup_db)
    change_everything(reedbackup_db)
    reedbackup.restored(reedbackup_db, made.timestamp)
    what = "the tree after the restore to a backup that was made after a restore"
    expect_same_tree(what, live_tree(reedbackup_db), history.trees[2])


@cases(
    "ticket/restore/extremes",
    "A restore to the target {variant} follows the same rule.",
    {
        "0": lambda times: (0, None),
        "1": lambda times: (1, None),
        "exact-minus-1": lambda times: (times[0] - 1, None),
        "exact": lambda times: (times[0], 0),
        "exact-plus-1": lambda times: (times[0] + 1, 0),
        "2^32": lambda times: (2**32, 2),
        "2^53+1": lambda times: (2**53 + 1, 2),
        "2^63-1": lambda times: (2**63 - 1, 2),
        "2^63": lambda times: (2**63, 2),
        "2^64-1": lambda times: (U64_MAX, 2),
    },
)
def test_extreme_targets_follow_the_rule(
    reedbackup: TicketImplementation,
    reedbackup_db: Path,
    variant: Callable[[list[int]], tuple[int, int | None]],
) -> None:
    history = History(reedbackup, reedbackup_db)
    target, number = variant(history.times)
    change_everything(reedbackup_db)
    before = live_tree(reedbackup_db)
    answer = reedbackup.restore_point_in_time(reedbackup_db, target)
    if number is None:
        refusal_of(answer, f"a restore to {target}", ("BackupNotFound",))
        expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), before)
    else:
        reedbackup.restored(reedbackup_db, target)
        expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), history.trees[number])


@cases(
    "ticket/restore/extremes/backup-of",
    "A backup of the second {variant} is found by the targets at and after it.",
    {"0": 0, "1": 1, "2^31": 2**31, "2^32": 2**32, "2^63": 2**63, "2^64-1": U64_MAX},
)
def test_backups_of_extreme_seconds_are_found(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: int
) -> None:
    expected = live_tree(reedbackup_db)
    pack(reedbackup_db, reedbackup_db / "backups" / f"{variant}.tar.gz")
    change_everything(reedbackup_db)
    expect(
        "its timestamp in the list",
        [i.timestamp for i in reedbackup.listed(reedbackup_db)],
        [variant],
    )
    if variant:
        answer = reedbackup.restore_point_in_time(reedbackup_db, variant - 1)
        refusal_of(answer, f"a restore to {variant - 1}", ("BackupNotFound",))
    reedbackup.restored(reedbackup_db, variant)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)


def _expect_figure(refusal: Refused, what: str, figure: int) -> None:
    """A field holds the figure, whatever the field's name and whatever it is wrapped in."""
    expect_that(
        any(re.search(rf"\b{figure}\b", str(value)) for value in refusal.fields.values()),
        f"the fields of {refusal.kind} hold the {what}",
        expected=str(figure),
        found=refusal.fields,
    )
