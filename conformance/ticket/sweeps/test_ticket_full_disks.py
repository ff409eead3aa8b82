"""Full disks under contract `ticket`, for Python implementations in this process: every size."""

from __future__ import annotations

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.injection.fakes.full import sweep_full_disks
from pytest_reedbackup.injection.sweeps.survival import Create, Restore
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.case import Kind, case


@case(
    "ticket/create/failing-call/fake-disk",
    "Whatever room a disk has, create answers an error and all is as before, or succeeds.",
    kind=Kind.SWEEP,
)
def test_a_create_on_disks_of_every_size(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    sweep_full_disks(reedbackup, reedbackup_sweep, Create)


@case(
    "ticket/restore/failing-call/fake-disk",
    "Whatever room a disk has, restore answers an error and all is as before, or succeeds.",
    kind=Kind.SWEEP,
)
def test_a_restore_on_disks_of_every_size(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    sweep_full_disks(reedbackup, reedbackup_sweep, Restore)
