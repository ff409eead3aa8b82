"""Text that fits a terminal: wrapped under where it began, commands still to be copied."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator

LEAST = 40
"""Characters of a line, however narrow the terminal."""


def labelled(label: str, text: str, width: int, most: int = 0, last: int = 0) -> Iterator[str]:
    """Yield lines of `text` behind `label`, or under where the text began.

    Of more than `most` lines of the text the rest is counted, but for the `last` ones; all
    are there for 0.
    """
    lines = text.splitlines() or [""]
    left = len(lines) - most - last if most and len(lines) > most + last + 1 else 0
    for line in lines[:most] if left else lines:
        yield from _wrapped(label, line, width)
        label = " " * len(label)
    if left:
        yield f"{label}… {left} more lines; -v shows all"
        for line in lines[most + left :]:
            yield from _wrapped(label, line, width)


def command_lines(label: str, command: str, width: int) -> Iterator[str]:
    """Yield a command behind `label`, broken before its options so that a shell takes it whole."""
    line, words = label, [shlex.quote(word) for word in shlex.split(command)]
    indent = " " * len(label)
    for at, word in enumerate(words):
        ending = " \\" if at + 1 < len(words) else ""
        if line.strip() and line != label and len(line) + 1 + len(word) + len(ending) > width:
            yield f"{line} \\"
            line = f"{indent}  {word}"
        else:
            line = f"{line}{'' if line == label else ' '}{word}"
    yield line


def _wrapped(label: str, line: str, width: int) -> Iterator[str]:
    hanging = 2 if line.startswith(("+ ", "- ")) else len(line) - len(line.lstrip())
    indent = " " * (len(label) + hanging)
    first = f"{label}{line[: len(line) - len(line.lstrip())]}"
    yield from textwrap.wrap(
        line.lstrip(),
        max(width, LEAST),
        initial_indent=first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [label.rstrip()]
