"""`reedbackup`: the reference implementation for people, and `serve` for the harness.

Exit status: 0 done, 1 failed (the error is one line on stderr), 2 a wrong call.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence, Set
from contextlib import redirect_stdout
from importlib.metadata import version
from io import StringIO
from typing import Any

from reedbase_backup.adapter.json_values import to_json_value
from reedbase_backup.adapter.rust.generator import add_adapter_parser
from reedbase_backup.cli.printing import (
    print_json,
    print_line,
    print_preview,
    print_table,
    printable,
)
from reedbase_backup.cli.quantities import (
    NoTime,
    age,
    counted,
    date,
    explained,
    no_backups,
    parse_time,
    size,
)
from reedbase_backup.cli.standard_streams import abandon, open_closed_streams, say
from reedbase_backup.create import create_backup
from reedbase_backup.errors import BackupCorrupted, BackupUnsafe, ReedError
from reedbase_backup.list import list_backups
from reedbase_backup.preview import preview
from reedbase_backup.restore import restore_newest
from reedbase_backup.verify import UnknownBackup, Verification, verify

# What shells report of a program that SIGINT has ended.
_INTERRUPTED = 130
_EXAMPLES = """\
examples:
  reedbackup create .reed
  reedbackup list .reed
  reedbackup restore .reed --to 2026-11-22T10:00 --dry-run
  reedbackup verify .reed
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    closed = open_closed_streams()
    try:
        status = _run(arguments, closed)
        # At exit it would be too late to say that it failed.
        sys.stdout.flush()
    except OSError as error:
        # The reader may just have read enough.
        if not isinstance(error, BrokenPipeError):
            say(f"the output cannot be written: {error.strerror}")
        abandon(sys.stdout)
        return 1
    except KeyboardInterrupt:
        say("interrupted; the database is whole, as before the command or as after it")
        return _INTERRUPTED
    return status


def _run(arguments: Sequence[str] | None, closed: Set[str]) -> int:
    help_text = StringIO()
    try:
        with redirect_stdout(help_text):
            options = _parser().parse_args(arguments, argparse.Namespace(closed_streams=closed))
    except SystemExit as end:
        # argparse itself would not notice that it could not print.
        sys.stdout.write(help_text.getvalue())
        return end.code if isinstance(end.code, int) else 0
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ReedError as error:
        _report_error(options, error.kind, error.fields, explained(error, options.base))
    except UnknownBackup as error:
        _report_error(options, "UnknownBackup", {}, str(error))
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="reedbackup",
        description="Back up and restore ReedBase databases.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    release = version("pytest-reedbackup")
    parser.add_argument("--version", action="version", version=f"%(prog)s {release}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add_command(commands, "create", _create, "back up a database")
    _add_command(commands, "list", _list, "list a database's backups, newest first")
    _add_restore(commands)
    _add_verify(commands)
    add_adapter_parser(commands)
    _add_serve(commands)
    return parser


def _add_command(
    commands: Any, name: str, run: Callable[[argparse.Namespace], int], words: str
) -> argparse.ArgumentParser:
    command: argparse.ArgumentParser = commands.add_parser(name, help=words, description=words)
    command.add_argument("base", type=_base, metavar="BASE", help="the database's .reed folder")
    command.add_argument("--json", action="store_true", help="print JSON")
    command.set_defaults(run=run)
    return command


def _add_restore(commands: Any) -> None:
    words = "bring tables/ and indices/ back to what they were"
    command = _add_command(commands, "restore", _restore, words)
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


def _add_verify(commands: Any) -> None:
    words = "read backups whole and say which are sound"
    command = _add_command(commands, "verify", _verify, words)
    command.add_argument("ids", metavar="ID", nargs="*", help="only these backups (default: all)")


def _add_serve(commands: Any) -> None:
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
    command.set_defaults(run=_serve, json=False)


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


# Commands --------------------------------------------------------------------


def _create(options: argparse.Namespace) -> int:
    made = create_backup(options.base)
    if options.json:
        print_json(made)
    else:
        print_line(
            f"Backup {made.id} of {date(made.timestamp)}: "
            f"{counted(made.table_count, 'table')}, {size(made.size_bytes)}"
        )
    return 0


def _list(options: argparse.Namespace) -> int:
    backups = list_backups(options.base)
    if options.json:
        print_json(backups)
        return 0
    if not backups:
        print_line(no_backups(options.base))
        return 0
    now = int(time.time())
    print_table(
        ["id", "date", "age", "size", "tables"],
        [
            [
                info.id,
                date(info.timestamp),
                age(info.timestamp, now),
                size(info.size_bytes),
                str(info.table_count),
            ]
            for info in backups
        ],
    )
    return 0


def _restore(options: argparse.Namespace) -> int:
    if options.dry_run:
        found = preview(options.base, options.to)
        if options.json:
            print_json(found)
        else:
            print_preview(found)
        return 0
    name, report = restore_newest(options.base, options.to)
    if options.json:
        print_json({"id": name.id, "timestamp": name.timestamp} | to_json_value(report))
    else:
        print_line(
            f"Restored backup {name.id} of {date(name.timestamp)}:"
            f" {counted(report.tables_restored, 'table')}, {size(report.total_bytes)},"
            f" in {report.duration_ms} ms"
        )
    return 0


def _verify(options: argparse.Namespace) -> int:
    found = verify(options.base, options.ids)
    if options.json:
        print_json([_verification_fields(one) for one in found])
    elif not found:
        print_line(no_backups(options.base))
    else:
        print_table(
            ["id", "date", "size", "verdict"],
            [
                [
                    one.id,
                    date(one.timestamp),
                    "?" if one.size_bytes is None else size(one.size_bytes),
                    _verdict(one),
                ]
                for one in found
            ],
        )
    return 0 if all(one.is_sound for one in found) else 1


def _serve(options: argparse.Namespace) -> int:
    from reedbase_backup.adapter.loading import UnusableImplementation
    from reedbase_backup.adapter.serving import CLOSED, serve

    try:
        if options.closed_streams & {"stdin", "stdout"}:
            raise UnusableImplementation(CLOSED)
        serve(options.implementation)
    except UnusableImplementation as error:
        say(f"serve: {error}")
        return 2
    return 0


def _verdict(one: Verification) -> str:
    match one.damage:
        case None:
            pass
        case BackupCorrupted():
            return f"DAMAGED: {one.damage}"
        case BackupUnsafe():
            return f"REFUSED: {one.damage}"
        case _:
            return f"UNREADABLE: {one.damage}"
    checked = "every SHA-256 right" if one.has_manifest else "gzip checksum right, no manifest"
    return f"sound: {counted(one.table_count or 0, 'table')}, {checked}"


def _verification_fields(one: Verification) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in Verification.__slots__ if name != "damage"}
    damage = None if one.damage is None else _error_fields(one.damage)
    return {**fields, "is_sound": one.is_sound, "damage": damage}


def _error_fields(error: ReedError) -> dict[str, Any]:
    return {"kind": error.kind, "fields": error.fields, "message": str(error)}


def _report_error(
    options: argparse.Namespace, kind: str, fields: dict[str, Any], message: str
) -> None:
    say(printable(message))
    if options.json:
        print_json({"error": {"kind": kind, "fields": fields, "message": message}})
