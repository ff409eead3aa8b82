"""stdin, stdout and stderr as they may be: closed, full, or read by nobody any more."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TextIO

from reedbase_backup.cli.printing import folded

_STREAMS = (("stdin", "r"), ("stdout", "w"), ("stderr", "w"))


def open_closed_streams() -> frozenset[str]:
    """Open the null device in place of each stream that whoever started us has closed.

    Return the names of those, such as `stdin`.

    Otherwise the next file that is opened gets its number, such as an archive, and
    Python prints to stdout what was meant for stderr.
    """
    closed = set()
    for number, (name, mode) in enumerate(_STREAMS):
        try:
            os.fstat(number)
        except OSError:
            # The lowest number that is free, which this is.
            os.open(os.devnull, os.O_RDWR)
            closed.add(name)
        if getattr(sys, name) is None:
            stream = open(number, mode, errors="backslashreplace", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)
    return frozenset(closed)


def say(line: str) -> None:
    """Print what happened on stderr, in a line, if that is possible."""
    _print(f"reedbackup: {line}")


def say_interrupted(line: str) -> None:
    """Do `say` after Ctrl-C, which a terminal has shown where the last line was not at its end."""
    with suppress(OSError):
        if sys.stderr.isatty():
            print(file=sys.stderr)
    say(line)


def hint(line: str) -> None:
    """Print what to do about it on stderr, in a line, if that is possible."""
    _print(f"hint: {line}")


def _print(line: str) -> None:
    try:
        print(folded(line, sys.stderr), file=sys.stderr, flush=True)
    except OSError:
        abandon(sys.stderr)


def abandon(stream: TextIO) -> None:
    """End all writing to `stream`: what is left in its buffer would fail again at exit."""
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, stream.fileno())
    finally:
        os.close(null)
    with suppress(OSError):
        stream.flush()
