"""What every clock of an implementation can do."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """What the implementation takes for the current time."""

    way: str
    """How it is set, for the report."""
    is_settable: bool
    """Whether `set` works and `advance` costs nothing."""

    def seconds(self) -> int:
        """Return the implementation's current time, in Unix seconds."""
        ...

    def set(self, seconds: int) -> None:
        """Make it `seconds`, backwards too. Raise MissingCapability where it cannot be."""
        ...

    def advance(self, seconds: int = 1) -> None:
        """Let at least `seconds` pass, to the start of a second where it can."""
        ...

    def reset(self) -> None:
        """Make it the real time again, where it was set; for the next case."""
        ...

    def params(self) -> dict[str, int]:
        """Return what create_backup is to be sent."""
        ...
