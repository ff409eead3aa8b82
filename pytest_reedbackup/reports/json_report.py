"""The report as one JSON document: header, implementations, cases, divergences, footer.

It is written at the end, whole, under its name; the footer counts the cases, so
that a report that was cut is noticed.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal

import msgspec
from msgspec import Struct

from pytest_reedbackup.drift.rows import Drift
from pytest_reedbackup.model.divergences import Divergence
from pytest_reedbackup.model.outcome import CaseOutcome
from pytest_reedbackup.model.target import Target
from pytest_reedbackup.model.verdict import Result

SCHEMA_VERSION: Final = 1


class Header(Struct, frozen=True):
    """Of which run the report is."""

    schema: Literal[1]
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
    contract: str
    translated_from: str | None
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


class Footer(Struct, frozen=True):
    """The end of the report: without it, and with another count, it is not whole."""

    cases: int
    complete: Literal[True]


class Report(Struct, frozen=True):
    """Everything that came of a run."""

    header: Header
    implementations: list[ImplementationReport]
    cases: list[CaseOutcome]
    divergences: list[Divergence]
    drift: Drift | None
    """Where an implementation was held against the contract that it does not claim."""
    footer: Footer


class IncompleteReport(Exception):
    """The file is no report, or not all of one."""


def machine() -> dict[str, str]:
    """What the figures depend on."""
    return {
        "system": platform.system(),
        "release": platform.release(),
        "processor": platform.machine(),
        "cores": str(os.cpu_count()),
        "python": platform.python_version(),
    }


def header(arguments: Sequence[str], seed: int, examples: int) -> Header:
    """The header of a run that starts now."""
    return Header(
        schema=SCHEMA_VERSION,
        kit=version("pytest-reedbackup"),
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        arguments=list(arguments),
        machine=machine(),
        seed=seed,
        examples=examples,
    )


def write(path: Path, report: Report) -> None:
    """Writes the report under its name, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.partial")
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
    partial.replace(path)


def read(path: Path) -> Report:
    """A report that was written. Raises IncompleteReport."""
    try:
        report = msgspec.json.decode(path.read_bytes(), type=Report)
    except (OSError, msgspec.MsgspecError) as error:
        raise IncompleteReport(f"{path} is no whole report: {error}") from error
    if report.footer.cases != len(report.cases):
        raise IncompleteReport(
            f"{path} holds {len(report.cases)} cases, its footer counts {report.footer.cases}"
        )
    return report


def implementation_report(result: Result, target: Target) -> ImplementationReport:
    """What the report says of one implementation under one contract."""
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
    )


def schema_text() -> str:
    """The published schema, as it stands in report.schema.json beside this file.

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
