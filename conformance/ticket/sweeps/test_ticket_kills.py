"""Kills and interrupts under contract `ticket`, at every system call that changes the disk.

They need no right to mount a disk: what the system has not written yet is not lost.
"""

from __future__ import annotations

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.injection.sweeps.scenes import full_scene
from pytest_reedbackup.injection.sweeps.survival import Create, Restore
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.injection.sweeps.sweeping import Sweeping
from pytest_reedbackup.model.case import Kind, case


@case(
    "ticket/restore/atomic/calls",
    "Killed at any of its system calls, restore leaves all of the old tree or all of the new one.",
    basic=True,  # kills by the clock hardly ever hit the moment of the switch
    kind=Kind.SWEEP,
    weight=3,
)
def test_a_restore_killed_at_any_call_leaves_no_mixture(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Restore).kills()


@case(
    "ticket/restore/atomic/interrupted",
    "Interrupted at any of its system calls, restore leaves the old tree or the new one.",
    kind=Kind.SWEEP,
    weight=2,
)
def test_an_interrupted_restore_leaves_no_mixture(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Restore).interrupts()


@case(
    "ticket/create/power-cut/kill",
    "Killed at any of its system calls, create costs no backup, and the next one succeeds.",
    kind=Kind.SWEEP,
    weight=2,
)
def test_a_create_killed_at_any_call_costs_no_backup(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Create, full_scene).kills()


@case(
    "ticket/create/power-cut/interrupted",
    "Interrupted at any of its system calls, create costs no backup, and the next one succeeds.",
    kind=Kind.SWEEP,
    weight=2,
)
def test_an_interrupted_create_costs_no_backup(
    reedbackup: TicketImplementation, reedbackup_sweep: Sweeper
) -> None:
    Sweeping(reedbackup, reedbackup_sweep, Create, full_scene).interrupts()
