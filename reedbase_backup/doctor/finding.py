"""One thing that was found."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """What is the matter, what comes of it, and what to do."""

    code: str
    """Which kind of finding it is, for programs."""
    is_problem: bool
    """Whether something is to be done; else it is good to know."""
    path: str
    """What it is about, below the base."""
    what: str
    outlook: str
    """What the next call, or ReedBase itself, does about it or because of it."""
    advice: str
    """What to type or to do; empty where there is nothing."""


def command(*words: str) -> str:
    """Return a command line, as a shell takes it."""
    return shlex.join(words)


def at(base: str, *parts: str) -> str:
    """Return a path below the base."""
    return os.path.join(base, *parts)
