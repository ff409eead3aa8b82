"""The hooks of a run that concern tapes: what runs, what cannot be replayed, what is recorded."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_reedbackup.generate.shares import shares
from pytest_reedbackup.model.case import case_of
from pytest_reedbackup.model.target import Target
from pytest_reedbackup.recording import limits
from pytest_reedbackup.recording.file import TapeWriter, current_umask
from pytest_reedbackup.recording.format import FORMAT, VERSION, CaseTape, Header, Tape
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.recording.running import runs, taped_name
from pytest_reedbackup.reports.json_report import machine
from pytest_reedbackup.session.attempts import outcome_told_by
from pytest_reedbackup.session.settings import Settings

# Where a report carries what was recorded of its case.
_TAPED = "reedbackup_taped"
_CUT_SHORT = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)


class Replaying:
    """Says which case runs, and skips what a recording cannot show."""

    def __init__(self, settings: Settings, fixture: str) -> None:
        self._settings = settings
        self._fixture = fixture

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """From the case's fixtures to their end."""
        with runs(case_of(item), taped_name(item)):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Raises MissingCapability."""
        case, specification = case_of(item), getattr(item, "callspec", None)
        target: Target | None = specification.params.get(self._fixture) if specification else None
        if case is None or target is None:
            return
        lacking, baseline = None, self._settings.baseline
        if target.recorded is not None:
            taped = self._settings.recordings[target.option].cases.get(taped_name(item))
            options = {each.option for each in self._settings.targets}
            lacking = limits.missing_of_recording(case, taped, others=len(options) > 1)
        if lacking is None and baseline is not None and baseline.recorded is not None:
            lacking = limits.missing_of_baseline(case)
        if lacking is not None:
            raise lacking


class Recording:
    """Writes what is recorded; pytest-xdist's workers record, and their reports carry it."""

    def __init__(self, config: pytest.Config, settings: Settings, path: Path) -> None:
        self._settings = settings
        self._path = path
        self.recorder = Recorder()
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._cases: dict[str, CaseTape] = {}
        self._shares = 1
        self._writer = None if hasattr(config, "workerinput") else _opened(path)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Has the report that tells a case's outcome carry what was recorded of the case."""
        report = yield
        if (outcome := outcome_told_by(report)) is not None:
            taped = self.recorder.hand_over(taped_name(item), outcome)
            setattr(report, _TAPED, {**taped, "shares": len(shares())})
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Takes it from the report; only the run's own process, which gets all reports."""
        taped: dict[str, Any] | None = getattr(report, _TAPED, None)
        if taped is None or self._writer is None:
            return
        delattr(report, _TAPED)  # reports are kept to the end of the run
        case = msgspec.json.decode(taped["case"], type=CaseTape)
        before = self._cases.get(taped["name"])
        # A second report is of an error after the end of the case.
        self._cases[taped["name"]] = before or case
        self._cases[taped["name"]].outcome = case.outcome
        self._shares = taped["shares"]
        for name, content in taped["blobs"].items():
            self._writer.add_blob(name, content)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Completes the file; a run that was cut short leaves none."""
        if self._writer is None:
            return
        if session.exitstatus in _CUT_SHORT or not self._cases:
            self._writer.give_up()
        else:
            self._writer.finish(Tape(self._header(), dict(sorted(self._cases.items()))))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Says what came of it."""
        if self._path.exists() and self._cases:
            size = self._path.stat().st_size / 2**20
            calls = sum(len(case.calls) for case in self._cases.values())
            terminalreporter.write_line(
                f"recorded {calls} calls of {len(self._cases)} cases in {self._path}"
                f" ({size:.1f} MiB); play them back by --reedbackup-impl=replay:{self._path}"
            )

    def _header(self) -> Header:
        first = self._settings.targets[0]
        return Header(
            format=FORMAT,
            version=VERSION,
            kit=version("pytest-reedbackup"),
            recorded=self._started,
            machine=machine(),
            implementation=first.option,
            in_process=first.in_process,
            hello=first.hello,
            contracts=[target.contract for target in self._settings.targets],
            clock=first.clock,
            clock_is_settable=first.clock_is_settable,
            seed=self._settings.seed,
            examples=self._settings.examples,
            shares=self._shares,
            umask=current_umask(),
        )


def _opened(path: Path) -> TapeWriter:
    try:
        return TapeWriter(path)
    except OSError as error:
        raise pytest.UsageError(
            f"--reedbackup-record: cannot write {path}: {error.strerror}"
        ) from error
