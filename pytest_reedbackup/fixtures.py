"""Fixtures for users' own tests and for the suite.

They work without any option: then the implementation is the reference.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_reedbackup.databases.spec import Spec
    from pytest_reedbackup.databases.templates import Templates
    from pytest_reedbackup.implementations.under_test import ImplementationUnderTest
    from pytest_reedbackup.run import Pairing
    from pytest_reedbackup.subject import Subject
    from reedbase_backup.protocol import Contract

MakeDatabase = Callable[["Spec"], Path]


@pytest.fixture(scope="session")
def reedbackup_templates(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Templates:
    """The databases that were built for this run, to be cloned for each test."""
    from pytest_reedbackup.databases.templates import Templates

    cache = getattr(request.config, "cache", None)
    if cache is None:  # -p no:cacheprovider
        return Templates(tmp_path_factory.mktemp("reedbackup-templates"))
    return Templates(cache.mkdir("reedbackup-templates"))


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
) -> Generator[tuple[ImplementationUnderTest, Contract]]:
    from pytest_reedbackup.implementations.under_test import ImplementationUnderTest

    pairing: Pairing | None = getattr(request, "param", None)
    scratch = tmp_path_factory.mktemp("reedbackup-implementation")
    if pairing is None:
        implementation = ImplementationUnderTest("python", scratch)
    else:
        implementation = ImplementationUnderTest(pairing.option, scratch, pairing.limits)
    yield implementation, pairing.contract if pairing else "ticket"
    implementation.close()


@pytest.fixture
def reedbackup(
    _reedbackup_implementation: tuple[ImplementationUnderTest, Contract],
) -> Subject:
    """The implementation under test: `create_backup(base)` and so on.

    The one of --reedbackup-impl, or the reference.
    """
    from pytest_reedbackup.subject import Subject

    return Subject(*_reedbackup_implementation)
