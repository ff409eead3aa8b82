"""libfaketime: the clock of an unmodified child process.

Three things about it were measured, with Debian's 0.9.10:

- Without FAKETIME_DONT_FAKE_MONOTONIC, waits with a time limit on locks and
  futexes never end. With it, absolute sleeps on the monotonic clock fail with
  EINVAL or last for hours (its issue 426), and so sleeps CPython from 3.11 on.
  Therefore the monotonic clock is left alone, but for Python.
- A process that is killed leaves two files in /dev/shm, named by its id.
- It does not reach every process: not a static or a Go program, and not one on
  the other end of ssh. Whether it does is to be tried.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from pytest_reedbackup.implementations.clocks.moved import MovedClock

# Where Debian, Fedora and `make install` put it.
_PATTERNS = (
    "usr/lib/*/faketime/libfaketimeMT.so.1",
    "usr/lib*/faketime/libfaketimeMT.so.1",
    "usr/local/lib/faketime/libfaketimeMT.so.1",
)
# 2033.
_TRIED_SECOND = 2_000_000_000
_PATIENCE_SECS = 20
_SHARED_MEMORY = Path("/dev/shm")


class FakeTimeClock(MovedClock):
    """The clock of an unmodified process, moved by libfaketime.

    `folder` must be the clock's own.
    """

    way = "libfaketime"

    def __init__(self, library: Path, folder: Path, language: str) -> None:
        self._file = folder / "faketime"
        self._library = library
        self._is_python = "python" in language.lower()
        self.reset()

    @property
    def environment(self) -> dict[str, str]:
        """What the process must be started with."""
        preloaded = filter(None, [str(self._library), os.environ.get("LD_PRELOAD")])
        environment = {
            "LD_PRELOAD": ":".join(preloaded),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            # The times of files are as they are.
            "NO_FAKE_STAT": "1",
        }
        return (
            environment if self._is_python else environment | {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        )

    def _move(self, offset_secs: float) -> None:
        super()._move(offset_secs)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{offset_secs:+.6f}\n")
        fresh.replace(self._file)


def find_libfaketime() -> Path | None:
    """Return the libfaketime for threaded programs, where it is installed."""
    if named := os.environ.get("REEDBACKUP_LIBFAKETIME"):
        return Path(named)
    for pattern in _PATTERNS:
        for library in sorted(Path("/").glob(pattern)):
            return library
    return None


@functools.cache
def moves_a_clock(library: Path) -> bool:
    """Return whether this libfaketime moves the clock of a Python of our own."""
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        clock = FakeTimeClock(library, Path(folder), "Python")
        clock.set(_TRIED_SECOND)
        try:
            ended = subprocess.run(
                [sys.executable, "-I", "-S", "-c", "import time; print(int(time.time()))"],
                env={**os.environ, **clock.environment},
                capture_output=True,
                text=True,
                timeout=_PATIENCE_SECS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return ended.stdout.strip()[:9] == str(_TRIED_SECOND)[:9]


def remove_traces(process_id: int) -> None:
    """Remove what libfaketime leaves of a process that was killed."""
    for name in (f"faketime_shm_{process_id}", f"sem.faketime_sem_{process_id}"):
        (_SHARED_MEMORY / name).unlink(missing_ok=True)
