"""Outcomes of cases that nobody ran."""

from __future__ import annotations

from msgspec import structs

from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from reedbase_backup.adapter.protocol import Contract


def case_outcome(
    outcome: Outcome,
    case: str = "restore/pick",
    *,
    contract: Contract = "ticket",
    **fields: object,
) -> CaseOutcome:
    """Return an outcome of a case, by default of the basic one of its rule, with these fields."""
    plain = CaseOutcome(
        case_id=f"{contract}/{case}",
        rule="/".join(case.split("/")[:2]),
        promise="A promise.",
        implementation="python",
        contract=contract,
        outcome=outcome,
        node_id="test_it.py::test_it",
        repeat="pytest",
        duration_secs=0.1,
        basic=case.count("/") == 1,
    )
    return structs.replace(plain, **fields)
