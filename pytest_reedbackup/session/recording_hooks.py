"""The hooks of a run that record it, and those that a replay needs."""

from __future__ import annotations

from collections.abc import Generator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import msgspec
import pytest

from pytest_reedbackup.model.case import Case, case_of
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.model.run_record import machine
from pytest_reedbackup.model.target import Target
from pytest_reedbackup.recording.current_case import during
from pytest_reedbackup.recording.file import RecordingWriter
from pytest_reedbackup.recording.format import FORMAT, VERSION, Header, RecordedCase, Recording
from pytest_reedbackup.recording.recorder import CaseRecord, Recorder
from pytest_reedbackup.recording.unsupported import (
    need_of_baseline,
    need_of_target,
)
from pytest_reedbackup.session.attempts import phase_outcome
from pytest_reedbackup.session.planning import target_of
from pytest_reedbackup.session.pytest_internals import parameters_of
from pytest_reedbackup.session.settings import Settings
from pytest_reedbackup.views.umask import current_umask

# The attribute of a report that carries the record of its case, and the number of shares.
_CARRIED = "reedbackup_recorded"
_CUT_SHORT = (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR)


def recorded_name(item: pytest.Item) -> str:
    """Return the name that a test's case has in a recording; empty for a test that is no case.

    It is the case's id, and its share of a campaign where it has one.
    """
    case = case_of(item)
    if case is None:
        return ""
    share = parameters_of(item).get("share")
    return case.id if share is None else f"{case.id}, share {share}"


class ReplayHooks:
    """Make a test's case the current one, and skip it where a recording cannot show it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Make the case the current one, from the set-up of its fixtures to their end."""
        with during(case_of(item), recorded_name(item)):
            return (yield)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Raise MissingCapability where a recording, as target or baseline, lacks something."""
        case, target = case_of(item), target_of(item)
        if case is None or target is None:
            return
        missing = self._missing(case, target, recorded_name(item))
        if missing is not None:
            raise missing

    def _missing(self, case: Case, target: Target, name: str) -> MissingCapability | None:
        need, recorded = None, None
        if target.recorded is not None:
            others = len({each.option for each in self._settings.targets}) > 1
            need = need_of_target(case, others=others)
            recorded = self._settings.recordings[target.option].cases.get(name)
        baseline = self._settings.baseline
        if need is None and baseline is not None and baseline.recorded is not None:
            need = need_of_baseline(case)
        if need is not None:
            return need.missing()
        return None if recorded is None else recorded.missing()


class RecordingHooks:
    """Write the recording of a run.

    The processes that run tests record them (the workers of pytest-xdist, too),
    and the reports of the tests carry the records to the process that writes.
    """

    def __init__(self, config: pytest.Config, settings: Settings, path: Path) -> None:
        self._settings = settings
        self._path = path
        self.recorder = Recorder()
        self._started = datetime.now(UTC).isoformat(timespec="seconds")
        self._cases: dict[str, RecordedCase] = {}
        self._shares = 1
        self._writer = None if hasattr(config, "workerinput") else _opened(path)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Add the record of a case to the report that says its outcome."""
        report = yield
        if (outcome := phase_outcome(report)) is not None:
            record = self.recorder.hand_over(recorded_name(item), outcome)
            setattr(report, _CARRIED, (record, self._settings.shares))
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the record from the report, in the process that gets the reports of all."""
        carried: tuple[CaseRecord, int] | None = getattr(report, _CARRIED, None)
        if carried is None or self._writer is None:
            return
        record, self._shares = carried
        delattr(report, _CARRIED)  # pytest keeps reports to the end of the run
        case = msgspec.json.decode(record["case"], type=RecordedCase)
        # A second report of a case is of an error after its end: it has another outcome only.
        first = self._cases.setdefault(record["name"], case)
        first.outcome = case.outcome
        for name, content in record["blobs"].items():
            self._writer.add_blob(name, content)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Complete the file; leave none of a run that was cut short."""
        if self._writer is None:
            return
        if session.exitstatus in _CUT_SHORT or not self._cases:
            self._writer.give_up()
        else:
            self._writer.finish(Recording(self._header(), dict(sorted(self._cases.items()))))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say what was recorded, and how to play it back."""
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


def _opened(path: Path) -> RecordingWriter:
    try:
        return RecordingWriter(path)
    except OSError as error:
        raise pytest.UsageError(
            f"--reedbackup-record: cannot write {path}: {error.strerror}"
        ) from error
