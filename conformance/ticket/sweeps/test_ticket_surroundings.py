"""Unkind surroundings under contract `ticket`: too little of what a call needs.

In steps from nothing to enough: an error of a documented kind and all as before, or success that
is true; and the next call succeeds once there is enough.
"""

from __future__ import annotations

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.injection.surroundings.enduring import Enduring
from pytest_reedbackup.injection.sweeps.scenes import read_only_scene
from pytest_reedbackup.injection.sweeps.survival import Create, Restore
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.injection.sweeps.sweeping import Sweeping
from pytest_reedbackup.model.case import Kind, case


@case(
    "ticket/create/failing-call/full-disk",
    "However little room there is, create answers an error and all is as before, or succeeds.",
    kind=Kind.SWEEP,
)
def test_create_on_a_full_disk(reedbackup: TicketImplementation, reedbackup_sweep: Sweeper) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Create)).full_disk()


@case(
    "ticket/restore/failing-call/full-disk",
    "However little room there is, restore answers an error and all is as before, or succeeds.",
    kind=Kind.SWEEP,
)
def test_restore_on_a_full_disk(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Restore)).full_disk()


@case(
    "ticket/create/failing-call/limits",
    "However few files, bytes or memory it may have, create changes nothing or succeeds.",
    kind=Kind.SWEEP,
)
def test_create_within_limits(reedbackup: TicketImplementation, reedbackup_sweep: Sweeper) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Create)).limits()


@case(
    "ticket/restore/failing-call/limits",
    "However few files, bytes or memory it may have, restore changes nothing or succeeds.",
    kind=Kind.SWEEP,
)
def test_restore_within_limits(reedbackup: TicketImplementation, reedbackup_sweep: Sweeper) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Restore)).limits()


@case(
    "ticket/create/failing-call/read-only-mount",
    "Where nothing can be written, create answers an error, and list shows what there is.",
    kind=Kind.SWEEP,
)
def test_create_where_nothing_can_be_written(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Create)).read_only()


@case(
    "ticket/restore/failing-call/read-only-mount",
    "Where nothing can be written, restore answers an error, and list shows what there is.",
    kind=Kind.SWEEP,
)
def test_restore_where_nothing_can_be_written(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Restore)).read_only()


@case(
    "ticket/create/failing-call/file-system",
    "Whatever a file system lacks, create answers an error and all is as before, or succeeds.",
    kind=Kind.SWEEP,
    weight=2,
)
def test_create_on_file_systems_that_lack_something(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Create)).unkind_file_systems()


@case(
    "ticket/restore/placement/file-system",
    "Restore succeeds without hard links and folder syncs; lacking others it may change nothing.",
    kind=Kind.SWEEP,
    weight=2,
)
def test_restore_on_file_systems_that_lack_something(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Restore)).unkind_file_systems()


@case(
    "ticket/restore/placement/mounted-parts",
    "Whatever is mounted, who owns a database and is not root can restore what create accepted.",
    kind=Kind.SWEEP,
)
def test_restore_across_file_systems(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Restore)).placements()


@case(
    "ticket/restore/placement/mounted-parts/read-only",
    "However the parts of a database are mounted, closed folders come back, too.",
    kind=Kind.SWEEP,
)
def test_restore_of_read_only_folders_across_file_systems(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Enduring(Sweeping(reedbackup, reedbackup_sweep, Restore, read_only_scene)).placements()
