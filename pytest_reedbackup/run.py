"""One run: the hooks that turn what pytest does into outcomes, verdicts and reports."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Generator, Iterable, Sequence

import msgspec
import pytest

from pytest_reedbackup import divergences, judging
from pytest_reedbackup.cases import case_of
from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.drift.rows import Drift, drift_of
from pytest_reedbackup.failures import MissingCapability, UndecidedBound
from pytest_reedbackup.outcomes import CaseOutcome, Outcome, Result, results
from pytest_reedbackup.pairings import Pairing
from pytest_reedbackup.report import drift_table, json_report, terminal
from pytest_reedbackup.settings import Settings
from pytest_reedbackup.subject import Subject
from pytest_reedbackup.suite import arguments_of
from pytest_reedbackup.tapes.hooks import Recording, Replaying
from pytest_reedbackup.tapes.recorder import Recorder

FIXTURE = "_reedbackup_implementation"
# Where a report carries its outcome; pytest-xdist sends all attributes along.
_TOLD = "reedbackup"
_BEGUN = "reedbackup_begun"


class Run:
    """The plugin of a run with --reedbackup-impl."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.settings = Settings.from_config(config)
        self._header = json_report.header(
            arguments_of(config), self.settings.seed, self.settings.examples
        )
        self.tapes: list[Replaying | Recording] = [Replaying(self.settings, FIXTURE)]
        self.recorder: Recorder | None = None
        if self.settings.record is not None:
            recording = Recording(config, self.settings, self.settings.record)
            self.recorder = recording.recorder
            self.tapes.append(recording)
        self._outcomes: list[CaseOutcome] = []
        self._begun: dict[str, CaseOutcome] = {}

    def pytest_report_header(self) -> list[str]:
        """What is to be known of the settings before anything runs."""
        return list(self.settings.remarks)

    def parametrize(self, metafunc: pytest.Metafunc) -> None:
        """One test for each implementation and contract."""
        metafunc.fixturenames.append(FIXTURE)
        pairings = self.settings.pairings
        metafunc.parametrize(FIXTURE, pairings, indirect=True, ids=str, scope="session")

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leaves cases to the implementations of their contract, and applies --reedbackup-case."""
        if self.settings.runs_suite:
            self.settings.check_divergences({case.id for i in items if (case := case_of(i))})
        items[:] = [item for item in items if _is_of_its_contract(item)]
        patterns = self.settings.case_patterns
        if patterns:
            chosen = [item for item in items if _matches(item, patterns)]
            left_out = [item for item in items if not _matches(item, patterns)]
            self._config.hook.pytest_deselected(items=left_out)
            items[:] = chosen
            if not items:
                raise pytest.UsageError(_no_case_matches(patterns, left_out))
        items.sort(key=self._position)

    def _position(self, item: pytest.Item) -> tuple[int, bool, int]:
        """One implementation after the other, each rule after those that it relies on.

        Generated examples, which rely on everything, come at the end of each;
        a user's own tests come after all.
        """
        case, pairing = case_of(item), pairing_of(item)
        if case is None or pairing is None:
            return len(self.settings.pairings), False, 0
        rules = list(RULES.get(case.contract, ()))
        position = rules.index(case.rule) if case.rule in rules else len(rules)
        return self.settings.pairings.index(pairing), case.is_fuzzing, position

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None]:
        """Says in pytest's terms what is missing or undecided, and whose fault an OSError is."""
        try:
            return (yield)
        except (MissingCapability, UndecidedBound) as reason:
            raise pytest.skip.Exception(str(reason)) from reason
        except OSError as error:
            subject: Subject | None = getattr(item, "funcargs", {}).get("reedbackup")
            broken = subject and subject.implementation.blamed_for(error)
            if broken:
                raise broken from error
            raise

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Turns what happened to a case into its outcome."""
        report = yield
        case, pairing = case_of(item), pairing_of(item)
        if case is None or pairing is None or (report.when == "teardown" and report.passed):
            return report
        if report.when == "setup" and report.passed:
            begun = judging.cut_off(case, pairing, report, call, self.settings)
            setattr(report, _BEGUN, msgspec.to_builtins(begun))
            return report
        outcome = judging.outcome_of(case, pairing, report, call, self.settings)
        judging.show(outcome, report, call)
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
        begun, told = getattr(report, _BEGUN, None), getattr(report, _TOLD, None)
        if begun is not None:
            self._begun[report.nodeid] = msgspec.convert(begun, CaseOutcome)
        if told is not None:
            self._begun.pop(report.nodeid, None)
            self._outcomes.append(msgspec.convert(told, CaseOutcome))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Writes the files that were asked for, and has undecided verdicts fail the run."""
        if hasattr(self._config, "workerinput"):
            return
        # Whoever ran these did not live to tell: a worker that was ended, a Ctrl-C.
        self._outcomes += self._begun.values()
        self._begun.clear()
        found = self._results()
        unreliable = any(result.is_unreliable for result in found)
        if unreliable and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.settings.report is not None:
            json_report.write(self.settings.report, self._report(found))
        if self.settings.divergences_to_write is not None:
            failures = [
                (outcome.implementation, outcome.case_id, outcome.found, outcome.defect)
                for outcome in self._outcomes
                if outcome.outcome is Outcome.FAIL and not outcome.divergence
            ]
            self.settings.divergences_to_write.write_text(
                divergences.starting_file(failures), "utf-8"
            )

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> Generator[None]:
        """The verdicts, the promises that were broken and the drift, after pytest's own lists."""
        yield
        if not self._outcomes:
            return
        found, writer = self._results(), self._config.get_terminal_writer()
        width, colour = writer.fullwidth, writer.hasmarkup
        terminalreporter.section("reedbackup", sep="=")
        terminalreporter.write(
            terminal.render(found, self.settings.pairings, width=width, colour=colour)
        )
        if drift := self._drift(found):
            terminalreporter.section("drift", sep="=")
            terminalreporter.write(drift_table.render(drift, width=width, colour=colour))

    def _results(self) -> list[Result]:
        """In the order in which the implementations were given."""
        order = [(pairing.option, pairing.contract) for pairing in self.settings.pairings]
        found = results(self._outcomes)
        return sorted(
            found, key=lambda result: order.index((result.implementation, result.contract))
        )

    def _drift(self, found: list[Result]) -> Drift | None:
        return drift_of(found, self.settings.pairings, self.settings.source)

    def _report(self, found: list[Result]) -> json_report.Report:
        pairings = {(p.option, p.contract): p for p in self.settings.pairings}
        return json_report.Report(
            header=self._header,
            implementations=[
                json_report.implementation_report(
                    result, pairings[result.implementation, result.contract]
                )
                for result in found
            ],
            cases=self._outcomes,
            drift=self._drift(found),
            divergences=list(self.settings.declared.entries),
            footer=json_report.Footer(cases=len(self._outcomes), complete=True),
        )


def pairing_of(item: pytest.Item) -> Pairing | None:
    """What a collected test is held against; None for a test that takes no implementation."""
    specification = getattr(item, "callspec", None)
    found: Pairing | None = specification.params.get(FIXTURE) if specification else None
    return found


def _is_of_its_contract(item: pytest.Item) -> bool:
    case, pairing = case_of(item), pairing_of(item)
    return case is None or pairing is None or case.contract == pairing.contract


def _no_case_matches(patterns: Sequence[str], items: Iterable[pytest.Item]) -> str:
    known = [case.id for item in items if (case := case_of(item)) is not None]
    nearest = difflib.get_close_matches(patterns[0], known, n=3, cutoff=0) or ["no case at all"]
    return (
        f"--reedbackup-case: no case matches {' or '.join(patterns)};"
        f" the nearest that there is: {', '.join(nearest)}"
    )


def _matches(item: pytest.Item, patterns: tuple[str, ...]) -> bool:
    case = case_of(item)
    return case is not None and any(fnmatch.fnmatchcase(case.id, pattern) for pattern in patterns)
