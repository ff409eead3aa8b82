"""Which commands there are: of each its module, loaded when it is called, and its line of help.

A command's module has `EXAMPLES` (lines of --help), `add_arguments(parser)` and
`run(options)`, which returns the exit status. A package that adds commands names a table
such as `COMMANDS` in its entry points, group `reedbackup.commands`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple, Protocol, cast

GROUP = "reedbackup.commands"
"""The group of entry points by which packages add commands."""

_HERE = "reedbase_backup.cli.subcommands"


class Command(NamedTuple):
    """A command: the module that has it, and what --help says of it in one line."""

    module: str
    words: str


COMMANDS = {
    "create": Command(f"{_HERE}.create", "back up a database"),
    "list": Command(f"{_HERE}.list", "list a database's backups, newest first"),
    "show": Command(f"{_HERE}.show", "list the tables in a backup"),
    "diff": Command(f"{_HERE}.diff", "say how a backup differs from another, or from what is live"),
    "restore": Command(f"{_HERE}.restore", "bring tables/ and indices/ back to what they were"),
    "copy": Command(f"{_HERE}.copy", "copy backups to a far end: a folder, S3, SFTP"),
    "verify": Command(f"{_HERE}.verify", "read backups whole and say which are sound"),
    "doctor": Command(f"{_HERE}.doctor", "say what is wrong, what comes of it, and what to do"),
    "adapter": Command(f"{_HERE}.adapter", "write an adapter, or print what its messages are"),
    "serve": Command(f"{_HERE}.serve", "answer the adapter protocol on stdin and stdout"),
    "complete": Command(f"{_HERE}.complete", "have a shell complete command lines"),
}
"""The commands of this package."""


class Subcommand(Protocol):
    """What a command's module has."""

    EXAMPLES: Sequence[str]

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Say what the command takes."""

    def run(self, options: argparse.Namespace) -> int:
        """Do it, and return the exit status."""


def all_commands() -> dict[str, Command]:
    """Return the commands of all packages; looking for those of others takes a while."""
    from importlib.metadata import entry_points

    commands = dict(COMMANDS)
    for entry_point in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        for name, (module, words) in entry_point.load().items():
            commands.setdefault(name, Command(module, words))
    return commands


def load(command: Command) -> Subcommand:
    """Return the command's module."""
    return cast(Subcommand, import_module(command.module))
