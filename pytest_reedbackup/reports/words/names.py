"""What implementations are called where there is little room."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import PurePath


def short_names(options: Sequence[str]) -> Sequence[str]:
    """Return names that differ: the programs' without their folders, where these differ."""
    short = [_without_folder(option) for option in options]
    return short if len(set(short)) == len(set(options)) else options


def _without_folder(option: str) -> str:
    try:
        program, *arguments = shlex.split(option)
    except ValueError:  # of a report that is read: no command line, but what names it
        return option
    return shlex.join([PurePath(program).name, *arguments])
