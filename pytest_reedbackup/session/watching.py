"""How a case's own test function ended, whatever is done around it.

Other plugins run tests again, in a way of their own or not at all, and turn what
they raise into skips and expected failures. What a case says of an implementation
is what its function did, so that is what is watched.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from pytest_reedbackup.model.failures import BrokenPromise

Blame = Callable[[OSError], BrokenPromise | None]


@dataclass
class Ending:
    """How the test function ended: not at all, where `ran` is false."""

    ran: bool = False
    is_running: bool = False
    error: BaseException | None = None


_ENDING = pytest.StashKey[Ending]()


@contextmanager
def watched(item: pytest.Function, blame: Blame) -> Iterator[None]:
    """Note how a test's function ends, for as long as the test is called.

    `blame` gives the broken promise that an OSError is, or nothing.
    """
    ending = item.stash[_ENDING] = Ending()
    function = item.obj

    def noting(*arguments: Any, **named: Any) -> Any:
        ending.ran = ending.is_running = True
        try:
            return function(*arguments, **named)
        except BaseException as error:
            broken = blame(error) if isinstance(error, OSError) else None
            ending.error = broken or error
            if broken is not None:
                raise broken from error
            raise
        finally:
            ending.is_running = False

    with replaced(item, noting):
        yield


@contextmanager
def replaced(item: pytest.Function, replacement: Callable[..., Any]) -> Iterator[None]:
    """Have `replacement` be the test's function, by the name and arguments of its own."""
    function = item.obj
    item.obj = functools.wraps(function)(replacement)
    try:
        yield
    finally:
        item.obj = function


def ending_of(item: pytest.Item) -> Ending:
    """Return how the function ended in the last call of the test."""
    return item.stash.get(_ENDING, Ending())


def forget(item: pytest.Item) -> None:
    """Start a new attempt: what the last one did is no news of it."""
    item.stash[_ENDING] = Ending()
