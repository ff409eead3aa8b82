"""The surface of contract `last`: three functions, two types, and what a report says of itself."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from pytest_reedbackup.checks.expectations import expect
from pytest_reedbackup.checks.last_creates import created
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.model.adapter_faults import Misfit
from pytest_reedbackup.model.case import cases
from pytest_reedbackup.model.failures import BrokenPromise, Cause, MissingCapability, UnfitValue
from pytest_reedbackup.views.tables import tables_of
from reedbase_backup.types import U64_MAX

PARAMETERS = {
    "create_backup": ["base_path"],
    "list_backups": ["base_path"],
    "restore_point_in_time": ["base_path", "target_timestamp"],
}
Call = Callable[[LastImplementation, Path], None]


def _create(reedbackup: LastImplementation, base: Path) -> None:
    created(reedbackup, base)


def _list(reedbackup: LastImplementation, base: Path) -> None:
    created(reedbackup, base)
    expect("the number of backups", len(reedbackup.listed(base)), 1)


def _restore(reedbackup: LastImplementation, base: Path) -> None:
    tables_of(base)["text"].log.write_text("damaged\n")
    (base / "tables" / "later").mkdir()
    (base / "tables" / "later" / "current.csv").touch()
    report = reedbackup.restored(base, U64_MAX)
    found = len(report.tables_restored), len(report.tables_skipped), len(report.errors)
    expect("the numbers of tables restored, skipped and in error", found, (2, 1, 1))


CALLS: dict[str, Call] = {
    "create_backup": _create,
    "list_backups": _list,
    "restore_point_in_time": _restore,
}


@cases(
    "last/surface/functions",
    "{variant} can be called with the baseline's parameters and no others.",
    {name: name for name in PARAMETERS},
)
def test_the_functions_have_the_baselines_signatures(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: str
) -> None:
    functions = reedbackup.connection.functions
    if functions is not None:
        required = [
            name
            for name, parameter in inspect.signature(functions[variant]).parameters.items()
            if parameter.default is parameter.empty
            and parameter.kind not in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
        ]
        expect(f"the required parameters of {variant}", required, PARAMETERS[variant])
    # Over the protocol, these parameters are all that is sent; any answer will do.
    targets = {"target_timestamp": 0} if "target_timestamp" in PARAMETERS[variant] else {}
    with suppress(UnfitValue):
        reedbackup.connection.call(variant, reedbackup.contract, reedbackup_db, **targets)


@cases(
    "last/surface/types",
    "{variant} returns the baseline's type with just its fields, of their types.",
    {name: name for name in CALLS},
)
def test_the_types_have_just_the_baselines_fields(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: str
) -> None:
    try:
        CALLS[variant](reedbackup, reedbackup_db)
    except Misfit as misfit:
        raise BrokenPromise(
            "the value that came back",
            expected="the fields of contract `last`, of their types",
            found=str(misfit),
            cause=Cause.SHAPE,
        ) from misfit
    reedbackup.expect_own_type(variant)


def _none_damaged(base: Path) -> None:
    pass


def _one_damaged(base: Path) -> None:
    tables_of(base)["text"].log.write_text("damaged\n")


def _all_damaged(base: Path) -> None:
    for table in tables_of(base).values():
        table.log.write_text("damaged\n")


@cases(
    "last/surface/report-state",
    "A report says whether it is a success, partial or a failure: {variant}.",
    {
        "success": (_none_damaged, "is_success"),
        "partial": (_one_damaged, "is_partial"),
        "failure": (_all_damaged, "is_failure"),
    },
)
def test_a_report_says_what_it_is(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[Callable[[Path], None], str]
) -> None:
    functions = reedbackup.connection.functions
    if functions is None:
        raise MissingCapability("Python objects", "the adapter protocol carries no methods")
    reedbackup.expect_own_type("restore_point_in_time")
    damage, state = variant
    damage(reedbackup_db)
    report = functions["restore_point_in_time"](str(reedbackup_db), U64_MAX)
    states = {name: _said(report, name) for name in ("is_success", "is_partial", "is_failure")}
    expect("what the report says of itself", states, {name: name == state for name in states})


def _said(report: Any, name: str) -> Any:
    """A property's value, or a method's."""
    found = getattr(report, name, None)
    return found() if callable(found) else found
