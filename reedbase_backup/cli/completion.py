"""Completing a command line as it is typed, for shells that `reedbackup complete` sets up."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Mapping, Sequence

from reedbase_backup.errors import ReedError

_WORDS = ("latest", "yesterday")


def complete(
    environment: Mapping[str, str], make_parser: Callable[[Sequence[str]], argparse.ArgumentParser]
) -> None:
    """Answer the shell, by the parser for what is typed by now, and end the process."""
    import argcomplete

    line = environment.get("COMP_LINE", "")
    typed = line[: int(environment.get("COMP_POINT", len(line)))].split(" ")
    # What is still being typed is no command yet.
    argcomplete.autocomplete(make_parser(typed[1:-1]))


def completes_backups(action: argparse.Action, *more: str) -> None:
    """Have the ids of the database's backups offered for an argument, and `more`."""

    def offered(prefix: str, parsed_args: argparse.Namespace, **_: object) -> list[str]:
        return [*more, *_WORDS, *_ids(getattr(parsed_args, "base", None))]

    # Where argcomplete looks for it.
    setattr(action, "completer", offered)  # noqa: B010


def _ids(base: object) -> list[str]:
    from reedbase_backup.catalogue import archive_names

    try:
        return [name.id for name in archive_names(os.fspath(str(base)))]
    except (OSError, ReedError):
        return []
