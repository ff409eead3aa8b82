"""Power cuts under contract `ticket`: in the midst of a call, and right after its answer."""

from __future__ import annotations

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.injection.sweeps.scenes import full_scene
from pytest_reedbackup.injection.sweeps.survival import Create, Restore
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.injection.sweeps.sweeping import Sweeping
from pytest_reedbackup.model.case import Kind, case


@case(
    "ticket/create/durable",
    "Once success is reported, the backup survives a power cut.",
    kind=Kind.SWEEP,
)
def test_a_created_backup_is_durable(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Create).replies()


@case(
    "ticket/create/durable/pruning",
    "Once success is reported, what pruning left survives a power cut.",
    kind=Kind.SWEEP,
)
def test_what_pruning_left_is_durable(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Create, full_scene).replies()


@case(
    "ticket/restore/durable",
    "Once success is reported, the restored tree survives a power cut.",
    kind=Kind.SWEEP,
)
def test_a_restored_tree_is_durable(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Restore).replies()


@case(
    "ticket/create/power-cut",
    "After a power cut at any moment of create, older backups restore and the next one succeeds.",
    kind=Kind.SWEEP,
    weight=6,
)
def test_a_create_survives_power_cuts(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Create).power_cuts()


@case(
    "ticket/create/power-cut/pruning",
    "After a power cut at any moment of a create that prunes, only what it may prune is missing.",
    kind=Kind.SWEEP,
    weight=4,
)
def test_a_create_that_prunes_survives_power_cuts(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Create, full_scene).power_cuts()


@case(
    "ticket/restore/power-cut",
    "After a power cut at any moment of restore, the next call finds the old tree or the new one.",
    kind=Kind.SWEEP,
    weight=9,
)
def test_a_restore_survives_power_cuts(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Restore).power_cuts()
