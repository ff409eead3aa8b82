"""Implementations as implementations of contract `last`, ended after the test."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.model import divergences
from pytest_reedbackup.parity.hunt import Party

PORT = divergences.shipped(["python-last"]).defects(["python-last"])
"""The defects that the port declares to do the safe thing about."""


@pytest.fixture(autouse=True)
def _one_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """What runs these tests in parallel is not to share out the campaigns within them."""
    monkeypatch.delenv("PYTEST_XDIST_WORKER_COUNT", raising=False)


@pytest.fixture
def party(tmp_path: Path) -> Iterator[Callable[..., Party]]:
    """Makes one of two implementations to be compared, by its option."""
    started: list[Connection] = []

    def make(option: str, mended: frozenset[str] = PORT) -> Party:
        scratch = tmp_path / f"implementation-{len(started)}"
        scratch.mkdir()
        started.append(Connection(option, scratch))
        return Party(Implementation(started[-1], "last"), mended)

    yield make
    for implementation in started:
        implementation.close()
