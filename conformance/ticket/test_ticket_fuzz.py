"""Generated histories under contract `ticket`, against a model that keeps every tree.

--reedbackup-examples=N sets how many, --reedbackup-seed=S which. Under
pytest-xdist each worker takes its share of N, with examples of its own.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis.stateful import run_state_machine_as_test

from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.generate.campaign import Fuzzing, run_campaign
from pytest_reedbackup.generate.ticket.histories import EPOCH, History, clock_walks, histories
from pytest_reedbackup.generate.ticket.machine import FUZZ_BASE, backup_machine
from pytest_reedbackup.generate.ticket.model import Model
from pytest_reedbackup.injection.scratch import memory
from pytest_reedbackup.model.case import Kind, case

# How the examples are shared out: a walk of 40 backups takes as long as a dozen others.
HISTORIES, MACHINE, WALKS = 0.49, 0.49, 0.02


@case(
    "ticket/restore/pick/fuzz",
    "Whatever was written and backed up when, restore brings back the tree of the right backup.",
    kind=Kind.FUZZING,
)
def test_generated_histories_restore_to_the_right_tree(
    reedbackup: TicketImplementation,
    reedbackup_templates: Templates,
    reedbackup_fuzzing: Fuzzing,
    share: int,
) -> None:
    reedbackup.clock.set(EPOCH)
    fuzzing = reedbackup_fuzzing.portion(HISTORIES)

    def campaign(implementation: TicketImplementation) -> None:
        @fuzzing.seeded(share)
        @fuzzing.settings()
        @given(history=histories)
        def check(history: History) -> None:
            with reedbackup_templates.cloned(FUZZ_BASE, memory()) as base:
                history.play(Model(implementation, base))

        check()

    run_campaign(reedbackup, campaign)


@case(
    "ticket/create/retention/fuzz",
    "However the clock walks, the 32 newest backups remain and always the one just made.",
    kind=Kind.FUZZING,
)
def test_generated_clock_walks_keep_the_right_backups(
    reedbackup: TicketImplementation,
    reedbackup_templates: Templates,
    reedbackup_fuzzing: Fuzzing,
    share: int,
) -> None:
    reedbackup.clock.set(EPOCH)
    fuzzing = reedbackup_fuzzing.portion(WALKS)

    def campaign(implementation: TicketImplementation) -> None:
        @fuzzing.seeded(share)
        @fuzzing.settings()
        @given(walk=clock_walks)
        def check(walk: list[int]) -> None:
            with reedbackup_templates.cloned(FUZZ_BASE, memory()) as base:
                model, now = Model(implementation, base), EPOCH
                for seconds in walk:
                    now += seconds
                    model.create(now)

        check()

    run_campaign(reedbackup, campaign)


@case(
    "ticket/restore/exact-tree/fuzz",
    "Create, list, restore, changes, clock steps and damage in any order keep every promise.",
    kind=Kind.FUZZING,
)
def test_the_state_machine_keeps_every_promise(
    reedbackup: TicketImplementation,
    reedbackup_templates: Templates,
    reedbackup_fuzzing: Fuzzing,
    share: int,
) -> None:
    reedbackup.clock.set(EPOCH)
    fuzzing = reedbackup_fuzzing.portion(MACHINE)

    def campaign(implementation: TicketImplementation) -> None:
        machine = fuzzing.seeded(share)(backup_machine(implementation, reedbackup_templates))
        run_state_machine_as_test(machine, settings=fuzzing.settings())

    run_campaign(reedbackup, campaign)
