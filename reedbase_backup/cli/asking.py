"""Asking whoever sits at the terminal, before what they did not save is lost."""

from __future__ import annotations

import sys

from reedbase_backup.cli.printing import print_sentence


def can_ask() -> bool:
    """Return whether somebody sees the question and can answer: never in a script or a pipe."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def agrees(lines: list[str], question: str) -> bool:
    """Show the lines and the question on stderr, and return whether the answer is yes."""
    for line in lines:
        print_sentence(line, sys.stderr)
    print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
    answer = sys.stdin.readline()
    if not answer.endswith("\n"):
        # The end of input shows no line break.
        print(file=sys.stderr)
    return answer.strip().lower() in ("y", "yes")
