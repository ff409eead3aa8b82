"""The fixtures of all cases: databases, baselines, figures, fuzzing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from pytest_reedbackup.checks.timing import RecordFigures, calibration
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.generate.campaign import Fuzzing
from pytest_reedbackup.model.case import Comparison, case_of
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.model.timing import Pairs, Rounds
from pytest_reedbackup.session.connecting import running
from pytest_reedbackup.session.judging import MEASURED, TIMING, YARDSTICK, repeat
from pytest_reedbackup.session.places import kept_folder, templates_of
from pytest_reedbackup.session.planning import divide, target_of
from pytest_reedbackup.session.run import Run
from pytest_reedbackup.session.settings import Settings

_IN_ROUNDS = "reedbackup_in_rounds"


@pytest.hookimpl(trylast=True)  # the share comes after the implementation in a test's name
def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Divide fuzzing cases, and show pytest-benchmark which tests measure (--benchmark-only)."""
    if "share" in metafunc.fixturenames:
        settings = _settings(metafunc.config)
        divide(metafunc, settings.shares if settings else 1)
    if metafunc.config.pluginmanager.hasplugin("benchmark") and _IN_ROUNDS in metafunc.fixturenames:
        metafunc.fixturenames.append("benchmark")


@pytest.fixture(scope="session")
def reedbackup_templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Templates:
    """The databases that were built for this run, to be cloned for each test."""
    return templates_of(request.config, tmp_path_factory)


@pytest.fixture(scope="session")
def reedbackup_baseline(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Implementation]:
    """The implementation of --reedbackup-baseline.

    Raise MissingCapability, which skips a case, where there is none.
    """
    settings = _settings(request.config)
    if settings is None or settings.baseline is None:
        raise pytest.skip.Exception("no --reedbackup-baseline=IMPL to compare with") from (
            MissingCapability("a baseline", "give one with --reedbackup-baseline=IMPL")
        )
    scratch = tmp_path_factory.mktemp("reedbackup-baseline")
    with running(settings.baseline, scratch) as baseline:
        yield baseline


@pytest.fixture(scope="session")
def reedbackup_all(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[list[Implementation]]:
    """Every implementation of the run under each of its contracts, in processes of their own."""
    run = Run.of(request.config)
    with ExitStack() as stack:
        yield [
            stack.enter_context(
                running(
                    target,
                    tmp_path_factory.mktemp("reedbackup-one-of-all"),
                    run.recorder if run else None,
                )
            )
            for target in (run.settings.targets if run else (None,))
        ]


@pytest.fixture(scope="session")
def reedbackup_fuzzing(request: pytest.FixtureRequest) -> Fuzzing:
    """How many examples to generate, and from which seed."""
    settings = _settings(request.config)
    if settings is None:
        return Fuzzing()
    return Fuzzing(settings.examples, settings.seed, settings.shares)


@pytest.fixture
def reedbackup_fuzzing_part(request: pytest.FixtureRequest, reedbackup_fuzzing: Fuzzing) -> Fuzzing:
    """An equal part of the examples for each fuzzing case of this contract that was chosen."""
    own = case_of(request.node)
    chosen = {case for item in request.session.items if (case := case_of(item)) is not None}
    alike = [case for case in chosen if own and case.contract == own.contract and case.is_fuzzing]
    settings = _settings(request.config)
    if settings is None or settings.baseline is None:
        alike = [case for case in alike if case.comparison is Comparison.CONTRACT or case == own]
    return reedbackup_fuzzing.equal_part(len(alike))


@pytest.fixture(scope="session")
def reedbackup_mended(request: pytest.FixtureRequest) -> Callable[[Implementation], frozenset[str]]:
    """The defects of contract `last`, by id, that an implementation declares to diverge in."""
    settings = _settings(request.config)

    def mended(implementation: Implementation) -> frozenset[str]:
        if settings is None:
            return frozenset()
        held = [*settings.targets, settings.baseline]
        option = implementation.connection.option
        names = next(target.names for target in held if target and target.option == option)
        return settings.declared.defects(names)

    return mended


@pytest.fixture(scope="session")
def reedbackup_is_recorded(request: pytest.FixtureRequest) -> bool:
    """Whether all calls are recorded."""
    settings = _settings(request.config)
    return settings is not None and settings.record is not None


@pytest.fixture
def reedbackup_repeat(request: pytest.FixtureRequest) -> str:
    """The command that repeats this case; empty outside a run of the suite."""
    settings = _settings(request.config)
    case, target = case_of(request.node), target_of(request.node)
    if settings is None or case is None or target is None:
        return ""
    return repeat(case, target, settings)


@pytest.fixture
def reedbackup_differences(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Where databases are kept that two implementations differ on; it outlives the run."""
    return kept_folder(request.config, tmp_path_factory, "reedbackup-differences")


@pytest.fixture(scope="session")
def reedbackup_calibration(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What this machine takes for a fixed job, to be read beside absolute figures."""
    return calibration(tmp_path_factory.mktemp("reedbackup-calibration"))


@pytest.fixture
def reedbackup_in_rounds(
    request: pytest.FixtureRequest,
) -> Callable[[Callable[[], None], int], None]:
    """A function that makes a call so many times, seen by pytest-benchmark where it is loaded."""

    def in_rounds(call: Callable[[], None], rounds: int) -> None:
        made = 0

        def counted() -> None:
            nonlocal made
            made += 1
            call()

        if request.config.pluginmanager.hasplugin("benchmark"):
            request.getfixturevalue("benchmark").pedantic(counted, rounds=rounds)
        while made < rounds:  # where it is disabled, it calls only once
            counted()

    return in_rounds


@pytest.fixture
def reedbackup_measured(record_property: Callable[[str, object], None]) -> RecordFigures:
    """A function that records a case's figures for the report, whatever becomes of the case."""

    def record(measured: str, yardstick: str = "", timing: Rounds | Pairs | None = None) -> None:
        record_property(MEASURED, measured)
        if yardstick:
            record_property(YARDSTICK, yardstick)
        if timing is not None:
            record_property(TIMING, msgspec.json.encode(timing).decode())

    return record


def _settings(config: pytest.Config) -> Settings | None:
    run = Run.of(config)
    return run.settings if run else None
