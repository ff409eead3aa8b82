"""In a terminal: which case it is that takes long, and for how long by now."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Generator

import pytest

from pytest_reedbackup.model.case import case_of

_LONG_SECS = 3.0
_EVERY_SECS = 1.0
# Of DEC's terminals, as all understand them: keep the place, go back, clear to the line's end.
_KEEP, _BACK, _CLEAR, _DIM, _PLAIN = "\x1b7", "\x1b8", "\x1b[K", "\x1b[2m", "\x1b[0m"


class Ticking:
    """Writes behind the line of letters, and takes it away again."""

    def __init__(self, config: pytest.Config) -> None:
        self._terminal = config.get_terminal_writer()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Watch the clock while a case runs."""
        case = case_of(item)
        if case is None:
            return (yield)
        ended = threading.Event()
        ticking = threading.Thread(target=self._tick, args=(case.id, ended), daemon=True)
        ticking.start()
        try:
            return (yield)
        finally:
            ended.set()
            ticking.join()

    def _tick(self, name: str, ended: threading.Event) -> None:
        started = time.monotonic()
        has_written = False
        while not ended.wait(_EVERY_SECS if has_written else _LONG_SECS):
            taken = time.monotonic() - started
            room = self._terminal.fullwidth - self._terminal.width_of_current_line - 2
            words = (
                f" {name} {taken:.0f} s"[:room] if room > len(name) else f" {taken:.0f} s"[:room]
            )
            self._write(f"{_KEEP}{_DIM}{words}{_PLAIN}{_CLEAR}{_BACK}")
            has_written = True
        if has_written:
            self._write(f"{_KEEP}{_CLEAR}{_BACK}")

    def _write(self, text: str) -> None:
        # Past the terminal writer, which counts the characters of the line. Its file is a copy of
        # stdout that no capture has taken.
        file = getattr(self._terminal, "_file", sys.__stdout__)
        if file is not None:
            file.write(text)
            file.flush()


def in_terminal(config: pytest.Config) -> bool:
    """Return whether somebody looks on."""
    return sys.stdout.isatty() and config.get_verbosity() <= 0
