"""What a run of the suite is to hold: the cases of its contracts, and no others are looked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_reedbackup.model.case import Case
from pytest_reedbackup.session import planning
from pytest_reedbackup.session.planning import cases_of, suite_cases


def test_the_contracts_cases_are_the_suites() -> None:
    by_contract = {contract: cases_of(contract) for contract in ("ticket", "last")}
    assert (*by_contract["ticket"], *by_contract["last"]) == suite_cases()
    for contract, cases in by_contract.items():
        assert {case.contract for case in cases} == {contract}


@pytest.mark.parametrize(("contract", "other"), [("ticket", "last"), ("last", "ticket")])
def test_the_plan_reads_no_file_of_the_other_contract(
    monkeypatch: pytest.MonkeyPatch, contract: str, other: str
) -> None:
    read: list[str] = []

    def declared_in(path: Path) -> list[Case]:
        read.append(path.name)
        return []

    monkeypatch.setattr(planning, "_declared_in", declared_in)
    cases_of.__wrapped__(contract)
    assert [name for name in read if name.startswith(f"test_{contract}_")]
    assert not [name for name in read if name.startswith(f"test_{other}_")]
