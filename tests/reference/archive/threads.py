"""The threads that the reference works in beside the one that calls it."""

from __future__ import annotations

import os
import threading

import pytest


def have_processors(patch: pytest.MonkeyPatch, count: int) -> None:
    """Let this process believe that it may use so many."""
    patch.setattr(os, "sched_getaffinity", lambda pid: {*range(count)}, raising=False)


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "reedbackup-beside"]
