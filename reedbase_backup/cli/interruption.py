"""What Ctrl-C leaves, said in a line of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Interrupted(KeyboardInterrupt):
    """Ctrl-C; the text says which state the database is in."""


@contextmanager
def interruptible(state: Callable[[], str]) -> Iterator[None]:
    """Say the `state` that the database is in where Ctrl-C ends what is done meanwhile."""
    try:
        yield
    except KeyboardInterrupt as error:
        raise Interrupted(state()) from error
