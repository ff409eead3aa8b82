"""One run: which implementations, which cases, and what came of them."""

from __future__ import annotations

import fnmatch
import shlex
import tempfile
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from pytest_reedbackup.cases import Case, case_of
from pytest_reedbackup.implementations.faults import AdapterFault
from pytest_reedbackup.implementations.under_test import ImplementationUnderTest, TimeLimits
from pytest_reedbackup.outcomes import CaseOutcome, Outcome, Verdict, results
from pytest_reedbackup.promises import BrokenPromise, MissingCapability
from pytest_reedbackup.report import terminal
from reedbase_backup.protocol import Contract, Hello

FIXTURE = "_reedbackup_implementation"
# Where a report carries its outcome; pytest-xdist sends all attributes along.
_TOLD = "reedbackup"


@dataclass(frozen=True)
class Pairing:
    """One implementation to be held against one contract."""

    option: str
    contract: Contract
    hello: Hello
    limits: TimeLimits

    @property
    def id(self) -> str:
        """What it is called in test names."""
        return f"{self.option}-{self.contract}"

    def __str__(self) -> str:
        return self.id


class Run:
    """The plugin of a run with --reedbackup-impl."""

    def __init__(self, config: pytest.Config, pairings: list[Pairing]) -> None:
        self._config = config
        self._pairings = pairings
        self._outcomes: list[CaseOutcome] = []

    @classmethod
    def from_config(cls, config: pytest.Config) -> Run:
        """Meets every implementation, so that a wrong one is a usage error at once."""
        limits = TimeLimits(
            hello=config.getoption("reedbackup_hello_timeout"),
            call=config.getoption("reedbackup_timeout"),
        )
        pairings = [
            Pairing(option, contract, hello, limits)
            for option in dict.fromkeys(config.getoption("reedbackup_impl"))
            for hello in (_meet(option, limits),)
            for contract in _contracts(config, option, hello)
        ]
        if config.args_source is not pytest.Config.ArgsSource.ARGS:
            _choose_suite(config)
        return cls(config, pairings)

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """One test for each implementation and contract."""
        metafunc.fixturenames.append(FIXTURE)
        metafunc.parametrize(FIXTURE, self._pairings, indirect=True, ids=str, scope="session")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leaves cases to the implementations of their contract, and applies --reedbackup-case."""
        items[:] = [item for item in items if _is_of_its_contract(item)]
        patterns = self._config.getoption("reedbackup_case")
        if patterns:
            items[:] = [item for item in items if _matches(item, patterns)]
            if not items:
                raise pytest.UsageError(
                    f"--reedbackup-case: no case matches {' or '.join(patterns)};"
                    " `pytest --reedbackup-impl=… --collect-only -q` lists the tests"
                )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Makes a missing capability a skip in pytest's own terms."""
        try:
            return (yield)
        except MissingCapability as missing:
            raise pytest.skip.Exception(str(missing)) from missing

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turns what happened to a case into its outcome."""
        report = yield
        case = case_of(item)
        pairing = _pairing(item)
        if (
            case is not None
            and pairing is not None
            and (report.when == "call" or not report.passed)
        ):
            outcome = self._outcome(case, pairing, report, call)
            if outcome.outcome in (Outcome.FAIL, Outcome.ERROR):
                report.longrepr = _words(outcome, call, report)
            setattr(report, _TOLD, msgspec.to_builtins(outcome))
        return report

    def pytest_report_teststatus(self, report: pytest.TestReport) -> tuple[str, str, str] | None:
        """An error of the harness or the adapter is shown as one, not as a failure."""
        told = getattr(report, _TOLD, None)
        if told is not None and told["outcome"] == Outcome.ERROR and report.failed:
            return "error", "E", "ERROR"
        return None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Collects the outcomes; under pytest-xdist those of all workers."""
        told = getattr(report, _TOLD, None)
        if told is not None:
            self._outcomes.append(msgspec.convert(told, CaseOutcome))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Exit status 1 where pytest saw only passes and skips but the verdict is undecided."""
        undecided = any(result.verdict is Verdict.UNDECIDED for result in results(self._outcomes))
        if undecided and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """The verdicts, first of all, and the promises that were broken."""
        if not self._outcomes:
            return
        writer = self._config.get_terminal_writer()
        summary = terminal.render(
            results(self._outcomes),
            {pairing.option: pairing.hello for pairing in self._pairings},
            width=writer.fullwidth,
            colour=writer.hasmarkup,
        )
        terminalreporter.section("reedbackup", sep="=")
        terminalreporter.write(summary)

    def _outcome(
        self, case: Case, pairing: Pairing, report: pytest.TestReport, call: pytest.CallInfo[None]
    ) -> CaseOutcome:
        error = call.excinfo.value if call.excinfo else None
        if error is not None and isinstance(error.__cause__, MissingCapability):
            error = error.__cause__
        outcome = _ended(report, error)
        told: dict[str, Any] = {}
        if isinstance(error, BrokenPromise):
            told = {"detail": error.what, "expected": error.expected, "found": error.found}
        elif isinstance(error, MissingCapability):
            told = {"detail": str(error), "missing": error.capability, "missing_tool": error.tool}
        elif error is not None:
            told = {"detail": f"{type(error).__name__}: {error}"}
        return CaseOutcome(
            case_id=case.id,
            rule=case.rule,
            promise=case.promise,
            implementation=pairing.option,
            contract=pairing.contract,
            outcome=outcome,
            node_id=report.nodeid,
            repeat=self._repeat(case, pairing),
            duration_secs=report.duration,
            **told,
        )

    def _repeat(self, case: Case, pairing: Pairing) -> str:
        return shlex.join(
            [
                "pytest",
                f"--reedbackup-impl={pairing.option}",
                f"--reedbackup-case={case.id}",
            ]
        )


def _meet(option: str, limits: TimeLimits) -> Hello:
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as scratch:
        implementation = ImplementationUnderTest(option, Path(scratch), limits)
        try:
            return implementation.hello
        except AdapterFault as fault:
            raise pytest.UsageError(f"--reedbackup-impl: {fault}") from fault
        finally:
            implementation.close()


def _contracts(config: pytest.Config, option: str, hello: Hello) -> list[Contract]:
    wanted = config.getoption("reedbackup_contract")
    claimed = [contract for contract in hello.contracts if not wanted or contract in wanted]
    if not claimed:
        raise pytest.UsageError(
            f"--reedbackup-contract: {option!r} claims only contract"
            f" {' and '.join(hello.contracts)}; leave the option out, or name that one"
        )
    return claimed


def _choose_suite(config: pytest.Config) -> None:
    """Makes the suite what pytest collects, wherever it was started."""
    config.args = [str(suite_folder())]
    config.addinivalue_line("python_files", "test_*.py")
    # The user's own configuration may name tests otherwise.
    config.addinivalue_line("python_functions", "test")
    # The suite is found by path: nothing of it goes into sys.path.
    config.option.importmode = "importlib"


def suite_folder() -> Path:
    """Where the suite is: in the wheel inside this package, in a checkout beside it."""
    shipped = Path(__file__).parent / "conformance"
    return shipped if shipped.is_dir() else Path(__file__).parents[1] / "conformance"


def _pairing(item: pytest.Item) -> Pairing | None:
    specification = getattr(item, "callspec", None)
    found: Pairing | None = specification.params.get(FIXTURE) if specification else None
    return found


def _is_of_its_contract(item: pytest.Item) -> bool:
    case, pairing = case_of(item), _pairing(item)
    return case is None or pairing is None or case.contract == pairing.contract


def _matches(item: pytest.Item, patterns: list[str]) -> bool:
    case = case_of(item)
    return case is not None and any(fnmatch.fnmatchcase(case.id, pattern) for pattern in patterns)


def _ended(report: pytest.TestReport, error: BaseException | None) -> Outcome:
    if report.passed:
        return Outcome.PASS
    if report.skipped:
        return Outcome.SKIP
    return Outcome.FAIL if isinstance(error, BrokenPromise) else Outcome.ERROR


def _words(outcome: CaseOutcome, call: pytest.CallInfo[None], report: pytest.TestReport) -> str:
    """A failure or an error as a person wants to read it."""
    notes = getattr(call.excinfo.value, "__notes__", []) if call.excinfo else []
    lines = [f"{outcome.case_id}: {outcome.promise}"]
    if outcome.outcome is Outcome.FAIL:
        lines += [
            f"  looked at  {outcome.detail}",
            f"  expected   {_indented(outcome.expected)}",
            f"  found      {_indented(outcome.found)}",
        ]
    elif call.excinfo and isinstance(call.excinfo.value, AdapterFault):
        lines += ["  not the implementation's broken promise, but an adapter that failed:"]
        lines += [f"  {outcome.detail}"]
    else:
        lines += ["  not the implementation's broken promise, but the harness's or the machine's:"]
        lines += [report.longreprtext]
    lines += [f"  {line}" for note in notes for line in note.splitlines()]
    return "\n".join([*lines, f"  repeat     {outcome.repeat}"])


def _indented(text: str) -> str:
    return text.replace("\n", "\n" + " " * 13)
