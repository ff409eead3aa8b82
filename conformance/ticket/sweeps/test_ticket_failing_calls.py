"""System calls that fail under contract `ticket`, each once and for good."""

from __future__ import annotations

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.injection.surroundings.rights import bound_by_permissions
from pytest_reedbackup.injection.sweeps.scenes import full_scene, read_only_scene
from pytest_reedbackup.injection.sweeps.survival import Create, Restore
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.injection.sweeps.sweeping import Sweeping
from pytest_reedbackup.model.case import Kind, case


@case(
    "ticket/create/failing-call",
    "Whichever system call fails, create answers an error and all is as before, or succeeds.",
    kind=Kind.SWEEP,
    weight=11,
)
def test_a_create_whose_system_call_fails(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Create).failures()


@case(
    "ticket/create/failing-call/pruning",
    "Whichever system call fails, a create that prunes costs no backup but what it may prune.",
    kind=Kind.SWEEP,
    weight=4,
)
def test_a_create_that_prunes_whose_system_call_fails(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Create, full_scene).failures()


@case(
    "ticket/restore/failing-call",
    "Whichever system call fails, restore answers an error and all is as before, or succeeds.",
    kind=Kind.SWEEP,
    weight=15,
)
def test_a_restore_whose_system_call_fails(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Restore).failures()


@case(
    "ticket/create/failing-call/sync",
    "Whichever sync fails, a backup that is reported survives a power cut.",
    kind=Kind.SWEEP,
    weight=2,
)
def test_a_create_whose_sync_fails(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Create).failed_syncs()


@case(
    "ticket/restore/failing-call/sync",
    "Whichever sync fails, a restored tree that is reported survives a power cut.",
    kind=Kind.SWEEP,
    weight=3,
)
def test_a_restore_whose_sync_fails(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Restore).failed_syncs()


@case(
    "ticket/create/failing-call/read-only",
    "Whichever call fails where folders are closed, create changes nothing, or succeeds.",
    kind=Kind.SWEEP,
)
def test_a_create_of_read_only_folders_whose_system_call_fails(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    tracer = bound_by_permissions()
    Sweeping(reedbackup, reedbackup_sweep, Create, read_only_scene, tracer=tracer).failures()


@case(
    "ticket/restore/failing-call/read-only",
    "Whichever call fails where folders are closed, restore changes nothing, or succeeds.",
    kind=Kind.SWEEP,
    weight=2,
)
def test_a_restore_of_read_only_folders_whose_system_call_fails(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    tracer = bound_by_permissions()
    Sweeping(reedbackup, reedbackup_sweep, Restore, read_only_scene, tracer=tracer).failures()
