"""Types of the fixtures that tests of the command share."""

from __future__ import annotations

from typing import Protocol


class RunCommand(Protocol):
    """Runs one command: its exit status, stdout and stderr."""

    def __call__(self, *arguments: object) -> tuple[int, str, str]: ...
