"""Calls beside others."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from reference.locking.locks import InBackground


@pytest.fixture
def in_background() -> Iterator[InBackground]:
    """Starts a function in a thread whose error fails the test."""
    started: list[tuple[threading.Thread, list[BaseException]]] = []

    def start(function: Callable[..., object], *arguments: object) -> threading.Thread:
        errors: list[BaseException] = []

        def run() -> None:
            try:
                function(*arguments)
            except BaseException as error:
                errors.append(error)
                raise

        thread = threading.Thread(target=run)
        started.append((thread, errors))
        thread.start()
        return thread

    yield start
    for thread, errors in started:
        thread.join(20)
        assert not thread.is_alive()
        assert errors == []
