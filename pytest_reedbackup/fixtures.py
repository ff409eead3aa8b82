"""The fixtures for users' own tests, which the suite uses too.

They work without any option: then the implementation is the reference.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_reedbackup.connections.implementation import Implementation
    from pytest_reedbackup.databases.spec import Spec
    from pytest_reedbackup.injection.fakes.databases import FakeDatabases
    from pytest_reedbackup.injection.programs.faults import FailingCalls, PowerCut
    from pytest_reedbackup.model.sweep import Sweep
    from pytest_reedbackup.model.target import Target

_WIDTH = 100
"""Of the lines that show a sweep."""

MakeDatabase = Callable[["Spec"], Path]


@pytest.fixture
def reedbackup(_reedbackup_implementation: Implementation) -> Implementation:
    """The implementation under test: `create_backup(base)` and so on.

    The one of --reedbackup-impl, or the reference. Annotated as
    `TicketImplementation` or `LastImplementation`, it gives that contract's types.
    """
    _reedbackup_implementation.connection.begin_case()
    return _reedbackup_implementation


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


@pytest.fixture
def reedbackup_make_db(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[MakeDatabase]:
    """A factory of populated databases: takes a specification, returns the base's path.

    Each is a fresh clone in the real on-disk layout, removed when the run ends.
    See `pytest_reedbackup.databases.spec` for specifications.
    """
    _refuse_windows()
    from pytest_reedbackup.databases.spare import Spare
    from pytest_reedbackup.databases.spec import HISTORY_10K
    from pytest_reedbackup.session.places import clones_of, templates_of

    templates = templates_of(request.config, tmp_path_factory)
    clones = clones_of(request.config, tmp_path_factory)
    folder = clones.new_folder()
    made = 0
    with ExitStack() as lent:

        def make(spec: Spec) -> Path:
            nonlocal made
            made += 1
            base = folder / f"{made}" / ".reed"
            if spec == HISTORY_10K:
                return lent.enter_context(Spare(templates, spec).lent(base))
            return templates.clone(spec, base)

        yield make
    clones.done_with(folder)


@pytest.fixture
def reedbackup_fake_db(reedbackup_db: Path) -> FakeDatabases:
    """A disk in memory with so much room: `with reedbackup_fake_db(free=100) as base: …`

    On it is a small database, or a copy of another: `database=path`. For what runs in this
    process; no root is needed, and a hundred sizes take a second. Within the block
    `reedbackup_fake_db.make_room(10_000)` has so many bytes free from then on. Its type is
    `pytest_reedbackup.injection.fakes.databases.FakeDatabases`.
    """
    from pytest_reedbackup.injection.fakes.databases import FakeDatabases

    return FakeDatabases(reedbackup_db)


@pytest.fixture
def reedbackup_power_cut(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> PowerCut:
    """Pulls the plug on what changes a database: `reedbackup_power_cut(base, change, check)`.

    At each system call of `change`, a command line with `{base}` in it or a function of the
    path, on a real file system; `check(base)` then raises unless all is well. It needs root and
    strace, or skips the test; `kill_only=True` kills instead and needs strace alone. Its type,
    which has all arguments, is `pytest_reedbackup.injection.programs.faults.PowerCut`.
    """
    from pytest_reedbackup.injection.programs.faults import PowerCut

    return PowerCut(*_kept_and_account(request, tmp_path_factory))


@pytest.fixture
def reedbackup_failing_calls(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> FailingCalls:
    """Has system calls fail under what changes a database; called as `reedbackup_power_cut` is.

    Each one that changes the database, with ENOSPC and EIO, once and for good; `check(base)`
    sees what an error leaves, `after_success=` what a success does. It needs strace. Its type is
    `pytest_reedbackup.injection.programs.faults.FailingCalls`.
    """
    from pytest_reedbackup.injection.programs.faults import FailingCalls

    return FailingCalls(*_kept_and_account(request, tmp_path_factory))


def _kept_and_account(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, Callable[[Sweep], str]]:
    """Return where a test's databases are kept, and what says how they were found."""
    _refuse_windows()
    from pytest_reedbackup.reports.strip import account
    from pytest_reedbackup.session.places import kept_folder

    folder = kept_folder(request.config, tmp_path_factory, "reedbackup-sweeps")
    name = re.sub(r"[^\w.,+-]+", "_", request.node.name)
    return folder / name, lambda sweep: account(sweep, _WIDTH)


@pytest.fixture(scope="session")
def _reedbackup_implementation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Implementation]:
    """Keep what `reedbackup` gives running for all tests of one target, its parameter."""
    _refuse_windows()
    from pytest_reedbackup.session.connecting import running
    from pytest_reedbackup.session.run import Run

    target: Target | None = getattr(request, "param", None)
    run = Run.of(request.config)
    scratch = tmp_path_factory.mktemp("reedbackup-implementation")
    with running(target, scratch, run.recorder if run else None) as implementation:
        yield implementation


def _refuse_windows() -> None:
    """Fail in one line where an import of what Windows lacks would be a page of traceback."""
    if sys.platform == "win32":
        from pytest_reedbackup.plugin import NOT_ON_WINDOWS

        pytest.fail(NOT_ON_WINDOWS, pytrace=False)
