"""The command line of `reedbackup`: its commands, by their table, and --help."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NoReturn

from reedbase_backup import __version__
from reedbase_backup.cli.table import COMMANDS, Command, all_commands, load

DEBUG = "--debug"

_EXAMPLES = (
    "reedbackup create .reed",
    "reedbackup list .reed",
    "reedbackup restore .reed --to 2026-11-22T10:00 --dry-run",
    "reedbackup verify .reed",
)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line on what is wrong, and one on what to do."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the call, and end with status 2."""
        self.exit(2, f"{self.prog}: {message}\nhint: {self.prog} --help shows how\n")


def make_parser(arguments: Sequence[str]) -> Parser:
    """Return the parser for `arguments`, which knows in full only the command in them."""
    called = next((one for one in arguments if not one.startswith("-")), None)
    commands = COMMANDS if called in COMMANDS else all_commands()
    layout = _layout(arguments)
    parser = Parser(
        prog="reedbackup",
        description="Back up and restore ReedBase databases.",
        epilog=_examples(_EXAMPLES),
        formatter_class=layout,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    _add_debug(parser)
    parsers = parser.add_subparsers(metavar="COMMAND", required=True)
    if called is None:
        for name, command in commands.items():
            parsers.add_parser(name, help=command.words)
    elif called in commands:
        _add_command(parsers, called, commands[called], layout)
    else:
        parser.exit(2, _no_such_command(called, commands))
    return parser


def _no_such_command(called: str, commands: Iterable[str]) -> str:
    from difflib import get_close_matches

    close = get_close_matches(called, commands, n=1)
    advice = f"did you mean {close[0]}?" if close else "reedbackup --help shows all"
    return f"reedbackup: there is no command {called!r}\nhint: {advice}\n"


def _layout(arguments: Sequence[str]) -> Callable[..., argparse.HelpFormatter]:
    """Return what lays help out, as wide as the terminal if any is asked for.

    argparse makes one for each argument that it gets, and to learn the width loads
    `shutil`: 3 ms of each call.
    """
    layout = argparse.RawDescriptionHelpFormatter
    asked = not arguments or any(one.startswith(("-h", "--h")) for one in arguments)
    return layout if asked else partial(layout, width=80)


def _add_command(parsers: Any, name: str, command: Command, layout: Any) -> None:
    module = load(command)
    parser: Parser = parsers.add_parser(
        name,
        help=command.words,
        description=f"{command.words[0].upper()}{command.words[1:]}.",
        epilog=_examples(module.EXAMPLES),
        formatter_class=layout,
    )
    parser.set_defaults(run=module.run)
    _add_debug(parser)
    module.add_arguments(parser)


def _add_debug(parser: argparse.ArgumentParser) -> None:
    # Not to be set again by a command that does not have it.
    words = "show where in the program an error came up"
    parser.add_argument(DEBUG, action="store_true", default=argparse.SUPPRESS, help=words)


def add_base(parser: argparse.ArgumentParser) -> None:
    """Add what most commands take: the database, and whether to print JSON."""
    of_base = path_of("a .reed database")
    parser.add_argument("base", type=of_base, metavar="BASE", help="the database's .reed folder")
    parser.add_argument("--json", action="store_true", help="print JSON")


def path_of(what: str) -> Callable[[str], str]:
    """Return the type of an argument that is the path of `what`, and not empty."""

    def path(text: str) -> str:
        if not text:
            # Such as of a shell's variable that is not set.
            raise argparse.ArgumentTypeError(f"it is empty; give the path of {what}")
        return text

    return path


def _examples(lines: Sequence[str]) -> str:
    return "\n".join(["examples:", *(f"  {line}" for line in lines)])
