"""create_backup under contract `ticket` twice in one second, and on clocks that go back."""

from __future__ import annotations

from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import RETENTION
from pytest_reedbackup.databases.archives import (
    pack,
    read_tree,
)
from pytest_reedbackup.databases.changes import (
    change_everything,
)
from pytest_reedbackup.model.case import case
from pytest_reedbackup.views.base import (
    backups_listing,
    below_roots,
    live_tree,
)


@case("ticket/create/same-second", "Two backups in one second are both kept, under two ids.")
def test_two_backups_in_one_second_are_both_kept(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    earlier = live_tree(reedbackup_db)
    first = reedbackup.created(reedbackup_db)
    change_everything(reedbackup_db)
    later = live_tree(reedbackup_db)
    second = reedbackup.created(reedbackup_db)
    expect_that(
        first.id != second.id, "the two ids", expected="different", found=(first.id, second.id)
    )
    for info, tree in ((first, earlier), (second, later)):
        archived = read_tree(archive_of(reedbackup_db, info.id))
        expect_same_tree(f"the archive {info.id}", below_roots(archived), below_roots(tree))


@case("ticket/create/same-second/newer", "Of two backups in one second the later one is newer.")
def test_the_later_backup_of_a_second_is_newer(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    earlier = live_tree(reedbackup_db)
    first = reedbackup.created(reedbackup_db)
    change_everything(reedbackup_db)
    second = reedbackup.created(reedbackup_db)
    shown = [info.id for info in reedbackup.listed(reedbackup_db)]
    reedbackup.restore_point_in_time(reedbackup_db, second.timestamp)
    is_restored = not live_tree(reedbackup_db).differences(earlier)
    # Where one of them goes wrong, list/order or restore/pick says so.
    expect_that(
        shown != [first.id, second.id] or not is_restored,
        "which backup is the newer one, for list_backups and for restore_point_in_time",
        expected=f"the one created last, {second.id}",
        found=first.id,
    )


@case("ticket/create/same-second/burst", "Five backups as fast as they come are five backups.")
def test_backups_as_fast_as_they_come_are_all_kept(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    ids = {reedbackup.created(reedbackup_db).id for _ in range(5)}
    expect("how many different ids they have", len(ids), 5)
    found = {backup_id for backup_id in ids if archive_of(reedbackup_db, backup_id).is_file()}
    expect("the archives in backups/", found, ids)


@case(
    "ticket/create/same-second/after-a-removal",
    "Where an earlier backup of the second was removed, a new one takes no other's place.",
)
def test_a_backup_takes_no_others_place(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    first, second, third = (reedbackup.created(reedbackup_db).id for _ in range(3))
    archive_of(reedbackup_db, first).unlink()
    kept = [archive_of(reedbackup_db, backup_id).stat().st_ino for backup_id in (second, third)]
    made = reedbackup.created(reedbackup_db).id
    expect_that(
        made not in (second, third),
        "the new backup's id",
        expected="none that a backup of this base has",
        found=made,
    )
    found = [archive_of(reedbackup_db, backup_id).stat().st_ino for backup_id in (second, third)]
    expect("the files that the other two backups are", found, kept)


@case(
    "ticket/create/clock-backwards",
    "A backup made after the clock went back is kept and carries the clock's time.",
)
def test_a_backup_after_the_clock_went_back_is_kept(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    reedbackup.clock.set(1_800_000_000)
    made = [reedbackup.created(reedbackup_db).id]
    # By a few seconds too, as when a clock is set right.
    for seconds in (1_799_999_997, 1_700_000_000):
        reedbackup.clock.set(seconds)
        after = reedbackup.created(reedbackup_db)
        expect_that(
            seconds <= after.timestamp <= seconds + 2,
            "timestamp after the clock went back",
            expected=f"{seconds}, as the clock says",
            found=after.timestamp,
        )
        made.append(after.id)
        listed = {info.id for info in reedbackup.listed(reedbackup_db)}
        expect("the backups", listed, set(made))


@case(
    "ticket/create/clock-backwards/of-the-future",
    "Where backups of a time to come are there, a new one is kept and carries the clock's time.",
)
def test_a_backup_beside_backups_of_the_future_is_kept(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    """What a clock that went back looks like, on any clock."""
    future = reedbackup.clock.seconds() + 10**6
    for number in range(RETENTION):
        pack(reedbackup_db, archive_of(reedbackup_db, str(future + number)))
    earliest = reedbackup.clock.seconds()
    made = reedbackup.created(reedbackup_db)
    latest = reedbackup.clock.seconds()
    expect_that(
        earliest <= made.timestamp <= latest,
        "timestamp",
        expected=f"{earliest} to {latest}",
        found=made.timestamp,
    )
    is_kept = f"{made.id}.tar.gz" in backups_listing(reedbackup_db)
    expect("whether the new backup's archive is kept", is_kept, True)
