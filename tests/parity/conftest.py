"""Implementations as sides of a comparison under contract `last`, ended after the test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from parity.comparisons import PORT, MakeSide

import pytest_reedbackup.parity.search
from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.generate.last.strategies.scenarios import is_specified, scenarios
from pytest_reedbackup.parity.sides import Side


@pytest.fixture(autouse=True)
def _one_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs these tests in parallel is not to share out the campaigns within them."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)


@pytest.fixture
def side(tmp_path: Path) -> Iterator[MakeSide]:
    """Make a side of a comparison, given the implementation's option and what it declares."""
    started: list[Connection] = []

    def make(option: str, mended: frozenset[str] = PORT) -> Side:
        scratch = tmp_path / f"implementation-{len(started)}"
        scratch.mkdir()
        started.append(Connection(option, scratch))
        return Side(Implementation(started[-1], "last"), mended)

    yield make
    for connection in started:
        connection.close()


@pytest.fixture
def _specified_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Draw what the baseline's document specifies: the imitation imitates nothing else."""
    strategy = scenarios().filter(is_specified)
    monkeypatch.setattr(pytest_reedbackup.parity.search, "scenarios", lambda: strategy)
