"""The report as one JSON document: header, implementations, cases, divergences, footer.

It is written at the end, whole, under its name; the footer counts the cases, so
that a report that was cut is noticed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

from pytest_reedbackup.drift.rows import Drift
from pytest_reedbackup.model.divergences import Divergence
from pytest_reedbackup.model.grouping import CauseGroup, grouped
from pytest_reedbackup.model.outcome import CaseOutcome
from pytest_reedbackup.model.run_record import RunRecord
from pytest_reedbackup.model.target import Origin, Target
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.writer import Writer
from reedbase_backup.adapter.protocol import Contract

SCHEMA_VERSION: Final = 1


class Header(Struct, frozen=True):
    """Of which run the report is."""

    schema: Literal[1]
    """It grows by fields that may be left out; what else changes takes another number."""
    kit: str
    """The version of pytest-reedbackup."""
    started: str
    """ISO 8601, UTC."""
    arguments: list[str]
    machine: Mapping[str, str]
    seed: int
    examples: int


class ImplementationReport(Struct, frozen=True):
    """One implementation under one contract."""

    implementation: str
    contract: Contract
    translated_from: Contract | None
    """The contract that it claims, where `contract` is the other one."""
    name: str
    version: str
    language: str
    capabilities: list[str]
    clock: str
    replayed: str | None
    """When it was recorded (ISO 8601, UTC), where a recording was played back in its place."""
    verdict: str
    """In full: on a part of the cases it ends in "as far as it was tried"."""
    exit_status: int
    """What it makes of the exit status: 0 or 1."""
    unchecked_rules: Mapping[str, str]
    """Rules that were to be checked and could not be, and why."""
    untried_rules: Mapping[str, str]
    """Rules that nothing of its kind can be held to, and why."""
    counts: Mapping[str, int]
    left_out: int = 0
    """Cases of the suite for this contract that the run was told to leave out."""
    recorded: Origin | None = None
    """Where the recording comes from that was played back in its place."""


class Footer(Struct, frozen=True):
    """The end of the report: without it, and with another count, it is not whole."""

    cases: int
    complete: Annotated[bool, Meta(extra_json_schema={"enum": [True]})]
    """Always true; msgspec takes no Literal[True] before 0.22."""


class Report(Struct, frozen=True, kw_only=True):
    """Everything that came of a run."""

    header: Header
    implementations: list[ImplementationReport]
    causes: list[CauseGroup] = []
    """The broken promises and the errors among the cases, those of one cause together."""
    cases: list[CaseOutcome]
    divergences: list[Divergence]
    drift: Drift | None
    """Where an implementation was held against the contract that it does not claim."""
    footer: Footer


class IncompleteReport(Exception):
    """The file is no report, or not all of one."""


class WholeReport(Writer, ABC):
    """A file that is made of the whole report."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._cases: list[CaseOutcome] = []

    @abstractmethod
    def write(self, path: Path, report: Report) -> None:
        """Write the file."""

    def start(self, run: RunRecord) -> None:
        """Keep the record of the run."""
        self._run = run

    def case(self, outcome: CaseOutcome) -> None:
        """Keep the outcome."""
        self._cases.append(outcome)

    def finish(self, results: Sequence[Result], drift: Drift | None) -> None:
        """Put the report together and write it."""
        run = self._run
        report = Report(
            header=header(run),
            implementations=[
                _implementation(result, run.target(result.implementation, result.contract))
                for result in results
            ],
            causes=grouped(self._cases),
            cases=self._cases,
            divergences=list(run.divergences),
            drift=drift,
            footer=Footer(cases=len(self._cases), complete=True),
        )
        self.write(self._path, report)


class JsonReport(WholeReport):
    """One document with everything that came of a run."""

    def write(self, path: Path, report: Report) -> None:
        """Write the document."""
        write(path, report)


def header(run: RunRecord) -> Header:
    """Return the header of a run's report."""
    return Header(
        schema=SCHEMA_VERSION,
        kit=run.kit,
        started=run.started,
        arguments=list(run.arguments),
        machine=run.machine,
        seed=run.seed,
        examples=run.examples,
    )


def write(path: Path, report: Report) -> None:
    """Write the report under its name, whole or not at all."""
    write_whole(path, msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under its name, whole or not at all; make its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def read(path: Path) -> Report:
    """Return a report that was written. Raise IncompleteReport."""
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError) as error:
        raise IncompleteReport(f"{path} is no whole report: {error}") from error
    if not report.footer.complete:
        raise IncompleteReport(f"{path} is no whole report: its footer says so")
    if report.footer.cases != len(report.cases):
        raise IncompleteReport(
            f"{path} holds {len(report.cases)} cases, its footer counts {report.footer.cases}"
        )
    return report


def _implementation(result: Result, target: Target) -> ImplementationReport:
    hello = target.hello
    return ImplementationReport(
        implementation=result.implementation,
        contract=result.contract,
        translated_from=target.translated_from,
        name=hello.name,
        version=hello.version,
        language=hello.language,
        capabilities=list(hello.capabilities),
        clock=target.clock,
        replayed=target.recorded.time if target.recorded else None,
        verdict=result.statement,
        exit_status=result.exit_status,
        unchecked_rules={rule: case.detail for rule, case in result.unchecked_rules.items()},
        untried_rules={rule: case.detail for rule, case in result.untried_rules.items()},
        counts={str(outcome): count for outcome, count in result.counts.items()},
        left_out=result.left_out,
        recorded=target.recorded,
    )


def schema_text() -> str:
    """Return the published schema, as it stands in report.schema.json beside this file.

    `python -m pytest_reedbackup.reports.json_report` prints it.
    """
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "pytest-reedbackup report",
        **msgspec.json.schema(Report),
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"


if __name__ == "__main__":
    print(schema_text(), end="")
