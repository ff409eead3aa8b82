"""Generated histories and damage under contract `last`, against a model of it.

--reedbackup-examples=N sets how many, --reedbackup-seed=S which. Under
pytest-xdist each worker takes its share of N, with examples of its own.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given

from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.contracts.last import DEFECTS
from pytest_reedbackup.generate.campaign import Fuzzing, run_campaign
from pytest_reedbackup.generate.last.scenarios import Scenario
from pytest_reedbackup.generate.last.strategies.scenarios import scenarios
from pytest_reedbackup.model.case import Kind, case
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.parity.against_contract import check_scenario, explaining_defects


@case(
    "last/restore/pick/fuzz",
    "Whatever tables, logs and deltas are like, each table ends as the contract says.",
    kind=Kind.FUZZING,
)
def test_generated_databases_end_as_the_contract_says(
    reedbackup: LastImplementation,
    reedbackup_fuzzing_part: Fuzzing,
    reedbackup_mended: Callable[[LastImplementation], frozenset[str]],
    share: int,
) -> None:
    mended = reedbackup_mended(reedbackup)

    def campaign(implementation: LastImplementation) -> None:
        last: list[Scenario] = []

        @reedbackup_fuzzing_part.seeded(share)
        @reedbackup_fuzzing_part.settings()
        @given(scenario=scenarios(specified_only=True))
        def check(scenario: Scenario) -> None:
            last[:] = [scenario]
            check_scenario(implementation, scenario, mended)

        try:
            check()
        except BrokenPromise as broken:
            for defect in explaining_defects(implementation, last[-1], mended):
                broken.add_note(_hint(defect, declared=defect in mended))
            raise

    run_campaign(reedbackup, campaign)


def _hint(defect: str, *, declared: bool) -> str:
    does = "it is declared, but not so" if declared else "if it does the safe thing, declare it"
    return f"this is just defect {defect} ({DEFECTS[defect]}): {does} (--reedbackup-divergences)"
