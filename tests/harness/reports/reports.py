"""Reports of runs that nobody made."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_reedbackup.model.outcome import CaseOutcome
from pytest_reedbackup.model.run_record import RunRecord
from pytest_reedbackup.model.sweep import FolderDifference, PointOutcome, PointResult, Sweep
from pytest_reedbackup.model.verdict import results
from pytest_reedbackup.reports import json_report
from pytest_reedbackup.reports.json_report import Footer, ImplementationReport, Report


def report_of(cases: Sequence[CaseOutcome], arguments: Sequence[str] = ()) -> Report:
    """Return the report of a run with these outcomes."""
    return Report(
        header=json_report.header(RunRecord.begin(arguments, seed=7, examples=40)),
        implementations=[
            ImplementationReport(
                implementation=result.implementation,
                contract=result.contract,
                translated_from=None,
                name=result.implementation,
                version="1.0",
                language="Python",
                capabilities=[],
                clock="real seconds",
                replayed=None,
                verdict=result.statement,
                exit_status=result.exit_status,
                unchecked_rules={},
                untried_rules={},
                counts={str(outcome): count for outcome, count in result.counts.items()},
            )
            for result in results(cases)
        ],
        cases=list(cases),
        divergences=[],
        drift=None,
        footer=Footer(cases=len(cases), complete=True),
    )


def sweep_of(
    points: int,
    *,
    broken: Sequence[int] = (),
    words: str = "lost",
    folder: FolderDifference | None = None,
) -> Sweep:
    """Return a sweep of so many points, of which these are not stood."""
    return Sweep(
        rows={"fsync": points},
        results=[
            PointResult(
                point=f"fsync#{number}",
                path=f"tables/routes/{number}.csv",
                outcome=PointOutcome.BROKEN if number in broken else PointOutcome.KEPT,
                row="fsync",
                number=number,
                detail=words if number in broken else "",
                expected=f"all of {words}" if number in broken else "",
                found=f"none of {words}" if number in broken else "",
                trace=[f"fsync({number}) = 0"] if number in broken else [],
                kept=f"/kept/fsync#{number}" if number in broken else "",
                folder=folder if number in broken else None,
            )
            for number in range(1, points + 1)
        ],
    )
