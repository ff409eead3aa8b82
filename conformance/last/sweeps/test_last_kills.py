"""Kills and failing system calls under contract `last`, which need no right to mount a disk."""

from __future__ import annotations

from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.injection.sweeps.last.claimed import claimed_create, claimed_restore
from pytest_reedbackup.injection.sweeps.last.restore import SafeRestore
from pytest_reedbackup.injection.sweeps.last.scene import USERS
from pytest_reedbackup.injection.sweeps.last.sweeping import LastSweeping
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.case import Kind, case


@case(
    "last/create/interrupted/killed",
    "Killed at any of its system calls, create costs no table and no earlier backup.",
    kind=Kind.SWEEP,
)
def test_a_killed_create_costs_nothing_earlier(
    reedbackup: LastImplementation, reedbackup_sweep: Sweeper
) -> None:
    LastSweeping(reedbackup, reedbackup_sweep, claimed_create).kills()


@case(
    "last/restore/interrupted/killed",
    "Killed at any call, restore costs no version; no table where files are replaced whole.",
    kind=Kind.SWEEP,
)
def test_a_killed_restore_costs_no_earlier_version(
    reedbackup: LastImplementation, reedbackup_sweep: Sweeper
) -> None:
    LastSweeping(reedbackup, reedbackup_sweep, claimed_restore).kills()


@case(
    "last/restore/interrupted/failing-call",
    "Whichever call fails, no earlier version is lost; nothing is where files are replaced whole.",
    kind=Kind.SWEEP,
    weight=3,
)
def test_a_failing_call_costs_no_earlier_version(
    reedbackup: LastImplementation, reedbackup_sweep: Sweeper
) -> None:
    LastSweeping(reedbackup, reedbackup_sweep, claimed_restore).failures()


@case(
    "last/restore/failing-call",
    "Where a system call about users.dict fails, restore answers the error of a table that it has"
    " changed.",
    defect="D15",
    kind=Kind.SWEEP,
)
def test_an_error_about_the_users_comes_when_the_table_has_changed(
    reedbackup: LastImplementation, reedbackup_sweep: Sweeper
) -> None:
    sweeper = reedbackup_sweep.of_defect("a table with an error about users.dict", about=USERS)
    LastSweeping(reedbackup, sweeper, SafeRestore).stands_undisturbed().failures()
