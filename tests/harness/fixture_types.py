"""Types of the fixtures that the harness' tests share."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pytest_reedbackup.implementations.client import Client

WriteAdapter = Callable[[str], list[str]]
"""Writes an adapter of this body; returns its command."""

StartClient = Callable[[str], Client]
"""Starts an adapter of this body; returns what speaks to it."""


class RunPytest(Protocol):
    def __call__(
        self, folder: Path, *arguments: str, **variables: str
    ) -> subprocess.CompletedProcess[str]: ...
