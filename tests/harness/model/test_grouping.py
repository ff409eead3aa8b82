"""Failures of one cause are one thing to read; those of two are two."""

from __future__ import annotations

import pytest
from harness.session.outcomes import case_outcome
from msgspec import structs

from pytest_reedbackup.implementations.answers import Refused, value_of
from pytest_reedbackup.model.adapter_faults import Crashed, Misfit
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.grouping import grouped
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.sweep import Sweep


def misfit(folder: str, size: int) -> Misfit:
    fault = Misfit("unknown field `size`", b'{"id": %d}' % size)
    fault.call = f"create_backup(base_path='/tmp/{folder}/.reed')"
    return fault


def refused(kind: str, message: str) -> BrokenPromise:
    with pytest.raises(BrokenPromise) as caught:
        value_of(Refused(kind, {}, message, 1), "create_backup")
    return caught.value


def failed(case: str, error: BrokenPromise, **more: object) -> CaseOutcome:
    told = case_outcome(
        Outcome.FAIL, case, cause=error.cause, found=error.found, symptom=error.symptom
    )
    return structs.replace(told, **more)


def test_replies_with_one_wrong_field_are_one_cause_wherever_and_of_whatever_size() -> None:
    first, second = misfit("a1", 17), misfit("b2/1", 123_456)
    group, *others = grouped(
        [
            case_outcome(Outcome.ERROR, "create/archive", symptom=first.symptom, repeat="one"),
            case_outcome(Outcome.PASS, "list/empty"),
            case_outcome(Outcome.ERROR, "create/content", symptom=second.symptom, repeat="two"),
        ]
    )
    assert not others
    assert group.case_ids == ["ticket/create/archive", "ticket/create/content"]
    assert group.repeat == "one"


def test_another_field_or_another_call_is_another_cause() -> None:
    other = Misfit("unknown field `ident`", b"{}")
    other.call = "create_backup(base_path='/tmp/a')"
    listed = misfit("a", 1)
    listed.call = "list_backups(base_path='/tmp/a')"
    assert len({misfit("a", 1).symptom, other.symptom, listed.symptom}) == 3


def test_crashes_by_two_signals_are_two_causes() -> None:
    assert Crashed("killed by SIGSEGV").symptom != Crashed("killed by SIGABRT").symptom


def test_one_error_in_many_folders_is_one_cause_and_another_kind_is_another() -> None:
    errors = [
        refused("IoError", "cannot open '/tmp/a/1': No such file"),
        refused("IoError", "cannot open '/tmp/b/22': No such file"),
        refused("LockTimeout", "cannot open '/tmp/b/22': No such file"),
    ]
    groups = grouped(failed(f"create/{at}", error) for at, error in enumerate(errors))
    assert [len(group.case_ids) for group in groups] == [2, 1]


def test_numbers_apart_two_values_are_one_cause_and_two_promises_are_two() -> None:
    def wrong(what: str, found: int) -> BrokenPromise:
        return BrokenPromise(what, expected="1764000000", found=f"{found}")

    symptoms = [
        wrong("timestamp", 1_764_000_000_123).symptom,
        wrong("timestamp", 1_764_000_001_999).symptom,
        wrong("size_bytes", 1_764_000_001_999).symptom,
    ]
    assert symptoms[0] == symptoms[1] != symptoms[2]


def test_implementations_contracts_sweeps_and_flaky_cases_stand_apart() -> None:
    error = refused("IoError", "no")
    alike = [
        failed("create/archive", error),
        failed("create/archive", error, implementation="./another"),
        failed("create/archive", error, contract="last"),
        failed("create/content", error, flaky=True),
        failed("create/power-cut", error, sweep=Sweep(rows={}, results=[])),
        failed("restore/power-cut", error, sweep=Sweep(rows={}, results=[])),
    ]
    assert [len(group.case_ids) for group in grouped(alike)] == [1] * 6


def test_nothing_that_is_kept_or_left_out_is_a_cause() -> None:
    quiet = [each for each in Outcome if each not in (Outcome.FAIL, Outcome.ERROR)]
    assert grouped(case_outcome(each, symptom="x") for each in quiet) == []
