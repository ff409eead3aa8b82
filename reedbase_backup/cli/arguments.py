"""The command line of `reedbackup`: its commands, their arguments, and --help."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from reedbase_backup.cli.quantities import NoTime, parse_time

Run = Callable[[argparse.Namespace], int]
"""What runs a command, and returns its exit status."""

_EXAMPLES = """\
examples:
  reedbackup create .reed
  reedbackup list .reed
  reedbackup restore .reed --to 2026-11-22T10:00 --dry-run
  reedbackup verify .reed
"""


def make_parser(runs: dict[str, Run]) -> argparse.ArgumentParser:
    """Return the parser, whose `run` is that of `runs`, by the names of the commands."""
    parser = argparse.ArgumentParser(
        prog="reedbackup",
        description="Back up and restore ReedBase databases.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action=_Version)
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_command(commands, "create", runs, "back up a database")
    _add_command(commands, "list", runs, "list a database's backups, newest first")
    _add_restore(commands, runs)
    _add_verify(commands, runs)
    _add_adapter(commands, runs)
    _add_serve(commands, runs)
    return parser


class _Version(argparse.Action):
    """Says which release this is; looking it up takes a while, so only when asked."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        words = "show program's version number and exit"  # as argparse has it
        super().__init__(option_strings, argparse.SUPPRESS, nargs=0, help=words)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"{parser.prog} {version('pytest-reedbackup')}")
        parser.exit()


def _add_command(
    commands: Any, name: str, runs: dict[str, Run], words: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    command.add_argument("base", type=_base, metavar="BASE", help="the database's .reed folder")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=runs[name])
    return command


def _add_restore(commands: Any, runs: dict[str, Run]) -> None:
    words = "bring tables/ and indices/ back to what they were"
    command = _add_command(commands, "restore", runs, words)
    command.add_argument(
        "--to",
        required=True,
        type=_time,
        metavar="TIME",
        help="the newest backup up to this time: Unix seconds, or a date such as 2026-11-22T10:00"
        " (local time, unless it ends in Z or an offset; a date alone is its first second)",
    )
    command.add_argument(
        "--dry-run", action="store_true", help="say what would be restored, and change nothing"
    )


def _add_verify(commands: Any, runs: dict[str, Run]) -> None:
    words = "read backups whole and say which are sound"
    command = _add_command(commands, "verify", runs, words)
    command.add_argument("ids", metavar="ID", nargs="*", help="only these backups (default: all)")


def _add_adapter(commands: Any, runs: dict[str, Run]) -> None:
    adapter = commands.add_parser("adapter", help="write an adapter for an implementation")
    languages = adapter.add_subparsers(dest="language", metavar="LANGUAGE", required=True)
    rust = languages.add_parser(
        "rust",
        help="write a Cargo project that serves a Rust crate",
        description="Write a Cargo project that puts a Rust crate behind the adapter protocol.",
    )
    rust.add_argument("--crate", type=Path, required=True, help="the crate's folder")
    rust.add_argument("--contract", choices=("ticket", "last"), required=True)
    rust.add_argument("--out", type=Path, required=True, help="the folder to write")
    rust.add_argument("--name", help="the implementation's name in reports")
    rust.add_argument("--module", metavar="PATH", help="the functions' module, as ops::backup")
    rust.add_argument("--registry", metavar="PATH", help="contract last: the registry's module")
    rust.add_argument("--binary", metavar="NAME", help="the executable's name")
    rust.set_defaults(run=runs["adapter rust"])


def _add_serve(commands: Any, runs: dict[str, Run]) -> None:
    words = "answer the adapter protocol on stdin and stdout"
    command: argparse.ArgumentParser = commands.add_parser("serve", help=words, description=words)
    command.add_argument(
        "implementation",
        nargs="?",
        default="python",
        metavar="IMPL",
        help="python (the reference, default), python-last (the port of the baseline)"
        " or MODULE:OBJECT",
    )
    command.set_defaults(run=runs["serve"], json=False)


def _base(text: str) -> str:
    if not text:
        # Such as of a shell's variable that is not set.
        raise argparse.ArgumentTypeError("it is empty; give the path of a .reed database")
    return text


def _time(text: str) -> int:
    try:
        return parse_time(text)
    except NoTime as error:
        raise argparse.ArgumentTypeError(str(error)) from error
