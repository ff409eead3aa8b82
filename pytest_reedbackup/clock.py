"""The time that an implementation sees: one interface, three ways to set it.

In the order of preference: the adapter's capability `clock`; libfaketime around
an unmodified child process; waiting for real seconds.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Protocol

from pytest_reedbackup.promises import MissingCapability

NANO = 10**9

# Where Debian, Fedora and `make install` put it.
_LIBFAKETIME_PATTERNS = (
    "usr/lib/*/faketime/libfaketimeMT.so.1",
    "usr/lib*/faketime/libfaketimeMT.so.1",
    "usr/local/lib/faketime/libfaketimeMT.so.1",
)
# How far libfaketime can go: a signed 64-bit time_t, less where offsets are
# added in floating point.
_FAKETIME_LATEST = 2**52


class Clock(Protocol):
    """What the implementation takes for the current time."""

    way: str
    """How it is set, for the report."""
    is_settable: bool
    """Whether `set` works and `advance` costs nothing."""

    def seconds(self) -> int:
        """The implementation's current time, in Unix seconds."""
        ...

    def set(self, seconds: int) -> None:
        """Makes it `seconds`, backwards too. Raises MissingCapability where it cannot."""
        ...

    def advance(self, seconds: int = 1) -> None:
        """Lets at least `seconds` pass, to the start of a second where it can."""
        ...

    def params(self) -> dict[str, int]:
        """What create_backup is to be sent."""
        ...


class CapabilityClock:
    """Tells the time with each create_backup (capability `clock`)."""

    way = "the adapter's capability `clock`"
    is_settable = True

    def __init__(self) -> None:
        self._seconds = int(time.time())

    def seconds(self) -> int:
        """The time that the next call is told."""
        return self._seconds

    def set(self, seconds: int) -> None:
        """Any u64 second."""
        self._seconds = seconds

    def advance(self, seconds: int = 1) -> None:
        """Costs nothing."""
        self._seconds += seconds

    def params(self) -> dict[str, int]:
        """`now_ns`, late in the second, so that rounding up shows."""
        return {"now_ns": self._seconds * NANO + NANO * 3 // 4}


class FakeTimeClock:
    """Moves the clock of an unmodified process with libfaketime.

    The clock keeps running, so that an implementation that waits for the next
    second gets there.
    """

    way = "libfaketime"
    is_settable = True

    def __init__(self, library: Path, folder: Path) -> None:
        self._file = folder / "faketime"
        self._library = library
        self._offset = 0.0
        self._write(0.0)

    @property
    def environment(self) -> dict[str, str]:
        """What the process must be started with."""
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def seconds(self) -> int:
        """The process's current second."""
        return int(time.time() + self._offset)

    def set(self, seconds: int) -> None:
        """Any second that a time_t holds."""
        if seconds > _FAKETIME_LATEST:
            raise MissingCapability("clock", f"libfaketime cannot show the second {seconds}")
        # A tenth into the second: rounding must not show the one before.
        self._write(seconds + 0.1 - time.time())

    def advance(self, seconds: int = 1) -> None:
        """Costs nothing."""
        self.set(self.seconds() + seconds)

    def params(self) -> dict[str, int]:
        """Nothing: the process does not know."""
        return {}

    def _write(self, offset: float) -> None:
        self._offset = offset
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset:+.6f}\n")
        fresh.replace(self._file)


class RealClock:
    """The machine's own clock, which only waits."""

    way = "real seconds"
    is_settable = False

    _PATIENCE_SECS = 3

    def seconds(self) -> int:
        """The current second."""
        return int(time.time())

    def set(self, seconds: int) -> None:
        """Never possible."""
        raise MissingCapability(
            "clock",
            "the adapter has no capability `clock`, and libfaketime"
            " (Debian's package `faketime`) is not there for a child process",
            tool=True,
        )

    def advance(self, seconds: int = 1) -> None:
        """Waits until that many seconds have begun; only for a few."""
        if seconds > self._PATIENCE_SECS:
            self.set(seconds)
        target = self.seconds() + seconds
        while time.time() < target:
            time.sleep(target - time.time())

    def params(self) -> dict[str, int]:
        """Nothing: the implementation reads the clock itself."""
        return {}


def find_libfaketime() -> Path | None:
    """The libfaketime for threaded programs, where it is installed."""
    if named := os.environ.get("REEDBACKUP_LIBFAKETIME"):
        return Path(named)
    for pattern in _LIBFAKETIME_PATTERNS:
        for found in sorted(Path("/").glob(pattern)):
            return found
    return None
