"""Types of the fixtures that tests of recordings share."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from pytest_reedbackup.model.outcome import CaseOutcome

Ended = tuple[subprocess.CompletedProcess[str], list[CaseOutcome]]

Index = dict[str, Any]
"""The index of a recording, as it is decoded."""

EditIndex = Callable[[Path, Callable[[Index], None]], Path]


class RunPytest(Protocol):
    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]: ...


class OutcomesOf(Protocol):
    def __call__(self, *arguments: str) -> Ended: ...
