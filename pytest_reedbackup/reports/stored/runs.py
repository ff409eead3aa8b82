"""A report that was written, as its writers saw the run."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from pytest_reedbackup.model.outcome import CaseOutcome
from pytest_reedbackup.model.run_record import RunRecord
from pytest_reedbackup.model.target import Target, TimeLimits
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.json_report import ImplementationReport, Report
from pytest_reedbackup.reports.words.visible import visible
from reedbase_backup.adapter.protocol import Hello


def results_of(report: Report) -> list[Result]:
    """Return what came of each implementation under each contract."""
    outcomes: dict[tuple[str, str], list[CaseOutcome]] = {}
    for outcome in report.cases:
        outcomes.setdefault((outcome.implementation, outcome.contract), []).append(outcome)
    return [_result(held, outcomes) for held in report.implementations]


def record_of(report: Report) -> RunRecord:
    """Return what was known of the run."""
    header = report.header
    return RunRecord(
        kit=header.kit,
        started=header.started,
        arguments=header.arguments,
        machine=header.machine,
        seed=header.seed,
        examples=header.examples,
        targets=[_target(held) for held in report.implementations],
        divergences=report.divergences,
    )


def _result(
    held: ImplementationReport, outcomes: dict[tuple[str, str], list[CaseOutcome]]
) -> Result:
    own: Sequence[CaseOutcome] = outcomes.get((held.implementation, held.contract), ())
    return Result(held.implementation, held.contract, own, held.left_out)


def _target(held: ImplementationReport) -> Target:
    return Target(
        option=held.implementation,
        contract=held.contract,
        hello=Hello(
            protocol=1,
            name=held.name,
            version=held.version,
            language=held.language,
            contracts=[held.translated_from or held.contract],
            capabilities=held.capabilities,
        ),
        clock=held.clock,
        limits=TimeLimits(),
        recorded=held.recorded,
    )


def with_visible_texts(report: Report) -> Report:
    """Return a report in whose texts is nothing that a terminal would obey."""
    return msgspec.convert(_visible(msgspec.to_builtins(report)), Report)


def _visible(value: object) -> object:
    match value:
        case str():
            return visible(value)
        case list():
            return [_visible(each) for each in value]
        case dict():
            return {visible(name): _visible(each) for name, each in value.items()}
    return value
