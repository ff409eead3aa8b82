"""Fixtures for users' own tests and for the suite.

They work without any option: then the implementation is the reference.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_reedbackup.connections.implementation import Implementation
    from pytest_reedbackup.databases.spec import Spec
    from pytest_reedbackup.databases.templates import Templates
    from pytest_reedbackup.generate.campaign import Fuzzing
    from pytest_reedbackup.model.target import Target
    from pytest_reedbackup.recording.recorder import Recorder
    from pytest_reedbackup.session.run import Run
    from pytest_reedbackup.session.settings import Settings

MakeDatabase = Callable[["Spec"], Path]


@pytest.fixture(scope="session")
def reedbackup_templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Templates:
    """The databases that were built for this run, to be cloned for each test."""
    _refuse_windows()
    from pytest_reedbackup.databases.templates import Templates
    from pytest_reedbackup.session.places import TEMPLATES, kept_folder

    return Templates(kept_folder(request.config, tmp_path_factory, TEMPLATES))


@pytest.fixture
def reedbackup_make_db(
    reedbackup_templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeDatabase]:
    """A factory of populated databases: takes a specification, returns the base's path.

    Each is a fresh clone in the real on-disk layout, removed after the test.
    See `pytest_reedbackup.databases.spec` for specifications.
    """
    from pytest_reedbackup.databases.clone import remove_tree

    folder = tmp_path_factory.mktemp("reedbackup")
    made = 0

    def make(spec: Spec) -> Path:
        nonlocal made
        made += 1
        return reedbackup_templates.clone(spec, folder / f"{made}" / ".reed")

    yield make
    remove_tree(folder)


@pytest.fixture
def reedbackup_db(reedbackup_make_db: MakeDatabase) -> Path:
    """A small database: three tables with three versions each, indices, registry."""
    from pytest_reedbackup.databases.spec import SMALL

    return reedbackup_make_db(SMALL)


@pytest.fixture
def reedbackup_db_10k(reedbackup_make_db: MakeDatabase) -> Path:
    """The standard database of the performance bounds: 4 tables, 10,000 rows in all."""
    from pytest_reedbackup.databases.spec import BULK_10K

    return reedbackup_make_db(BULK_10K)


@pytest.fixture(scope="session")
def _reedbackup_implementation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Implementation]:
    target: Target | None = getattr(request, "param", None)
    scratch = tmp_path_factory.mktemp("reedbackup-implementation")
    yield from _running(target, scratch, _recorder(request.config))


@pytest.fixture
def reedbackup(_reedbackup_implementation: Implementation) -> Implementation:
    """The implementation under test: `create_backup(base)` and so on.

    The one of --reedbackup-impl, or the reference.
    """
    _reedbackup_implementation.connection.begin_case()
    return _reedbackup_implementation


@pytest.fixture(scope="session")
def reedbackup_baseline(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[Implementation]:
    """The implementation of --reedbackup-baseline.

    Raises MissingCapability, which skips a case, where none was given.
    """
    from pytest_reedbackup.model.failures import MissingCapability

    settings = _settings(request.config)
    if settings is None or settings.baseline is None:
        raise pytest.skip.Exception("no --reedbackup-baseline=IMPL to compare with") from (
            MissingCapability("a baseline", "give one with --reedbackup-baseline=IMPL")
        )
    yield from _running(settings.baseline, tmp_path_factory.mktemp("reedbackup-baseline"))


@pytest.fixture(scope="session")
def reedbackup_all(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Generator[list[Implementation]]:
    """Every implementation of the run under each of its contracts, in processes of their own."""
    settings, recorder = _settings(request.config), _recorder(request.config)
    with ExitStack() as running:
        yield [
            running.enter_context(
                contextmanager(_running)(
                    target, tmp_path_factory.mktemp("reedbackup-one-of-all"), recorder
                )
            )
            for target in (settings.targets if settings else (None,))
        ]


@pytest.fixture(scope="session")
def reedbackup_fuzzing(request: pytest.FixtureRequest) -> Fuzzing:
    """How many examples to generate, and from which seed."""
    from pytest_reedbackup.generate.campaign import Fuzzing

    settings = _settings(request.config)
    return Fuzzing(settings.examples, settings.seed) if settings else Fuzzing()


@pytest.fixture
def reedbackup_fuzzing_part(request: pytest.FixtureRequest, reedbackup_fuzzing: Fuzzing) -> Fuzzing:
    """An equal part of the examples for each fuzzing case of this contract that was chosen."""
    from pytest_reedbackup.model.case import case_of

    own = case_of(request.node)
    chosen = {case.id for item in request.session.items if (case := case_of(item)) is not None}
    contract, own_id = (own.contract, own.id) if own else ("", "")
    alike = [name for name in chosen if name.startswith(f"{contract}/") and name.endswith("/fuzz")]
    settings = _settings(request.config)
    if settings is None or settings.baseline is None:
        alike = [name for name in alike if "/parity/" not in name or name == own_id]
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
    """The command that repeats this case; none outside a run of the suite."""
    from pytest_reedbackup.model.case import case_of
    from pytest_reedbackup.session.judging import repeat
    from pytest_reedbackup.session.planning import target_of

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
    from pytest_reedbackup.session.places import kept_folder

    return kept_folder(request.config, tmp_path_factory, "reedbackup-differences")


@pytest.fixture(scope="session")
def reedbackup_calibration(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What this machine takes for a fixed job, to be read beside absolute figures."""
    from pytest_reedbackup.checks.timing import calibration

    return calibration(tmp_path_factory.mktemp("reedbackup-calibration"))


@pytest.fixture
def reedbackup_in_rounds(
    request: pytest.FixtureRequest,
) -> Callable[[Callable[[], None], int], None]:
    """Makes a call so many times, for pytest-benchmark to see where that is loaded."""

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
def reedbackup_measured(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Records a case's figures, which the report shows whatever became of the case."""
    from pytest_reedbackup.session.judging import MEASURED

    return lambda words: record_property(MEASURED, words)


def _running(
    target: Target | None, scratch: Path, recorder: Recorder | None = None
) -> Generator[Implementation]:
    _refuse_windows()
    from pytest_reedbackup.connections.connection import Connection
    from pytest_reedbackup.connections.implementation import Implementation

    if target is None:
        implementation = Connection("python", scratch)
    else:
        implementation = Connection(target.option, scratch, target.limits, recorder)
    yield Implementation(implementation, target.contract if target else "ticket")
    implementation.shutdown()


def _refuse_windows() -> None:
    """One line, where an import of what Windows lacks would be a page of traceback."""
    if sys.platform == "win32":
        from pytest_reedbackup.plugin import NOT_ON_WINDOWS

        pytest.fail(NOT_ON_WINDOWS, pytrace=False)


def _recorder(config: pytest.Config) -> Recorder | None:
    run: Run | None = config.pluginmanager.get_plugin("reedbackup-run")
    return run.recorder if run else None


def _settings(config: pytest.Config) -> Settings | None:
    run: Run | None = config.pluginmanager.get_plugin("reedbackup-run")
    return run.settings if run else None
