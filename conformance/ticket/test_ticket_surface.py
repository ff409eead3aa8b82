"""The ticket's surface: three functions with its signatures, two types with its fields.

Python objects are looked at directly. Of any other implementation the shape of
its replies is what there is to see.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.implementations.answers import refusal_of
from pytest_reedbackup.model.adapter_faults import Misfit
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.model.failures import BrokenPromise, Cause, UnfitValue

# Ticket 060-OPS-01, "Public Functions". What a Python function takes beside
# these must be optional.
PARAMETERS = {
    "create_backup": ["base_path"],
    "list_backups": ["base_path"],
    "restore_point_in_time": ["base_path", "target_timestamp"],
}


def _create(reedbackup: TicketImplementation, base: Path) -> None:
    reedbackup.created(base)


def _list(reedbackup: TicketImplementation, base: Path) -> None:
    reedbackup.created(base)
    reedbackup.listed(base)


def _restore(reedbackup: TicketImplementation, base: Path) -> None:
    reedbackup.restored(base, reedbackup.created(base).timestamp)


CALLS: dict[str, Callable[[TicketImplementation, Path], None]] = {
    "create_backup": _create,
    "list_backups": _list,
    "restore_point_in_time": _restore,
}


@cases(
    "ticket/surface/functions",
    "{variant} can be called with the ticket's parameters and no others.",
    {name: name for name in PARAMETERS},
)
def test_the_functions_have_the_tickets_signatures(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: str
) -> None:
    functions = reedbackup.connection.functions
    if functions is not None:
        required = _required_parameters(functions[variant])
        expect(f"the required parameters of {variant}", required, PARAMETERS[variant])
    # Over the protocol, these parameters are all that is sent; any answer will do.
    targets = {"target_timestamp": 0} if "target_timestamp" in PARAMETERS[variant] else {}
    with suppress(UnfitValue):
        reedbackup.connection.call(variant, reedbackup.contract, reedbackup_db, **targets)


@cases(
    "ticket/surface/types",
    "{variant} returns the ticket's type with just its fields, of their types.",
    {name: name for name in CALLS},
)
def test_the_types_have_just_the_tickets_fields(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: str
) -> None:
    try:
        CALLS[variant](reedbackup, reedbackup_db)
    except Misfit as misfit:
        raise BrokenPromise(
            "the value that came back",
            expected="the fields of ticket 060-OPS-01, of their types",
            found=str(misfit),
            cause=Cause.SHAPE,
        ) from misfit
    reedbackup.expect_own_type(variant)


@case("ticket/surface/types/error", "An error has the name of a ReedError variant and its fields.")
def test_an_error_carries_a_kind(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    answer = reedbackup.restore_point_in_time(reedbackup_db, 1)
    refusal_of(answer, "a restore without backups", ("BackupNotFound",))


def _required_parameters(function: Callable[..., object]) -> list[str]:
    optional = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.default is parameter.empty and parameter.kind not in optional
    ]
