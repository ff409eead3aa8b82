"""What a power cut costs under contract `last`: what was reported, and nothing that was earlier."""

from __future__ import annotations

from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.injection.sweeps.last.claimed import claimed_create, claimed_restore
from pytest_reedbackup.injection.sweeps.last.create import SafeCreate
from pytest_reedbackup.injection.sweeps.last.restore import SafeRestore
from pytest_reedbackup.injection.sweeps.last.sweeping import LastSweeping
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.case import Kind, case


@case(
    "last/create/power-cut",
    "A power cut costs a backup that was reported, or leaves it empty.",
    defect="D13",
    kind=Kind.SWEEP,
)
def test_a_reported_backup_is_lost(
    reedbackup: LastImplementation, reedbackup_sweep: Sweeper
) -> None:
    sweeper = reedbackup_sweep.of_defect("a reported backup after a power cut")
    LastSweeping(reedbackup, sweeper, SafeCreate).stands_undisturbed().reply_and_power_cuts()


@case(
    "last/restore/power-cut",
    "A power cut costs a restore that was reported, or leaves tables damaged, then or earlier.",
    defect="D13",
    kind=Kind.SWEEP,
)
def test_a_reported_restore_is_lost(
    reedbackup: LastImplementation, reedbackup_sweep: Sweeper
) -> None:
    sweeper = reedbackup_sweep.of_defect("a reported restore after a power cut")
    LastSweeping(reedbackup, sweeper, SafeRestore).stands_undisturbed().reply_and_power_cuts()


@case(
    "last/create/interrupted/power-cut",
    "A power cut at any moment of create, or right after, costs no table and no earlier backup.",
    kind=Kind.SWEEP,
)
def test_a_power_cut_in_create_costs_nothing_earlier(
    reedbackup: LastImplementation, reedbackup_sweep: Sweeper
) -> None:
    LastSweeping(reedbackup, reedbackup_sweep, claimed_create).reply_and_power_cuts()


@case(
    "last/restore/interrupted/power-cut",
    "A power cut in or after a restore costs no version; no table where files are replaced whole.",
    kind=Kind.SWEEP,
    weight=2,
)
def test_a_power_cut_in_restore_costs_no_earlier_version(
    reedbackup: LastImplementation, reedbackup_sweep: Sweeper
) -> None:
    LastSweeping(reedbackup, reedbackup_sweep, claimed_restore).reply_and_power_cuts()
