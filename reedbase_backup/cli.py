"""`reedbackup`: the reference implementation for people, and `serve` for the harness.

Exit status: 0 done, 1 failed (the error is one line on stderr), 2 a wrong call.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

from reedbase_backup import wording
from reedbase_backup.adapter_kit import add_adapter_parser
from reedbase_backup.create import create_backup
from reedbase_backup.errors import ReedError
from reedbase_backup.list import list_backups
from reedbase_backup.preview import Preview, preview
from reedbase_backup.restore import restore_point_in_time
from reedbase_backup.verify import UnknownBackup, Verification, verify

_EXAMPLES = """\
examples:
  reedbackup create .reed
  reedbackup list .reed
  reedbackup restore .reed --to 2026-11-22T10:00 --dry-run
  reedbackup verify .reed
"""
_SHOWN_NAMES = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command and returns its exit status."""
    options = _parser().parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = options.run
    try:
        return run(options)
    except ReedError as error:
        _report_error(options, error.kind, error.fields, str(error))
    except UnknownBackup as error:
        _report_error(options, "UnknownBackup", {}, str(error))
    except BrokenPipeError:
        # Whoever read our output has read enough; nothing more may be flushed at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
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
    command.add_argument("base", metavar="BASE", help="the database's .reed folder")
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
        help="the newest backup up to this time: Unix seconds, or a date such as 2026-11-22T10:00",
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


def _time(text: str) -> int:
    try:
        return wording.parse_time(text)
    except wording.NoTime as error:
        raise argparse.ArgumentTypeError(str(error)) from error


# Commands --------------------------------------------------------------------


def _create(options: argparse.Namespace) -> int:
    made = create_backup(options.base)
    if options.json:
        _print_json(asdict(made))
    else:
        print(
            f"Backup {made.id} of {wording.date(made.timestamp)}: "
            f"{_counted(made.table_count, 'table')}, {wording.size(made.size_bytes)}"
        )
    return 0


def _list(options: argparse.Namespace) -> int:
    backups = list_backups(options.base)
    if options.json:
        _print_json([asdict(info) for info in backups])
        return 0
    if not backups:
        print(f"No backups in {options.base}")
        return 0
    now = int(time.time())
    _print_table(
        ["id", "date", "age", "size", "tables"],
        [
            [
                info.id,
                wording.date(info.timestamp),
                wording.age(info.timestamp, now),
                wording.size(info.size_bytes),
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
            _print_json(asdict(found))
        else:
            _print_preview(found)
        return 0
    report = restore_point_in_time(options.base, options.to)
    if options.json:
        _print_json(asdict(report))
    else:
        print(
            f"Restored {_counted(report.tables_restored, 'table')},"
            f" {wording.size(report.total_bytes)}, in {report.duration_ms} ms"
        )
    return 0


def _verify(options: argparse.Namespace) -> int:
    found = verify(options.base, options.ids)
    if options.json:
        _print_json([_verification_fields(one) for one in found])
    elif not found:
        print(f"No backups in {options.base}")
    else:
        _print_table(
            ["id", "date", "size", "verdict"],
            [
                [one.id, wording.date(one.timestamp), wording.size(one.size_bytes), _verdict(one)]
                for one in found
            ],
        )
    return 0 if all(one.is_sound for one in found) else 1


def _serve(options: argparse.Namespace) -> int:
    from reedbase_backup.loading import UnusableImplementation
    from reedbase_backup.serve import serve

    try:
        serve(options.implementation)
    except UnusableImplementation as error:
        print(f"reedbackup serve: {error}", file=sys.stderr)
        return 2
    return 0


# Output ----------------------------------------------------------------------


def _print_preview(found: Preview) -> None:
    print(
        f"Would restore backup {found.id} of {wording.date(found.timestamp)}:"
        f" {_counted(found.table_count, 'table')}, {wording.size(found.total_bytes)}"
    )
    if found.is_empty:
        print("Nothing would change.")
    for words, names in (
        ("would come back", found.added),
        ("would change", found.changed),
        ("would go", found.removed),
    ):
        if names:
            print(f"{len(names)} {words}:")
            for name in names[:_SHOWN_NAMES]:
                print(f"  {_printable(name)}")
            if len(names) > _SHOWN_NAMES:
                print(f"  and {len(names) - _SHOWN_NAMES} more")


def _verdict(one: Verification) -> str:
    if one.damage is not None:
        return f"DAMAGED: {one.damage}"
    checked = "every SHA-256 right" if one.has_manifest else "gzip checksum right, no manifest"
    return f"sound: {_counted(one.table_count or 0, 'table')}, {checked}"


def _verification_fields(one: Verification) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in Verification.__slots__ if name != "damage"}
    damage = None if one.damage is None else _error_fields(one.damage)
    return {**fields, "is_sound": one.is_sound, "damage": damage}


def _error_fields(error: ReedError) -> dict[str, Any]:
    return {"kind": error.kind, "fields": error.fields, "message": str(error)}


def _report_error(
    options: argparse.Namespace, kind: str, fields: dict[str, Any], message: str
) -> None:
    if options.json:
        _print_json({"error": {"kind": kind, "fields": fields, "message": message}})
    print(f"reedbackup: {_printable(message)}", file=sys.stderr)


def _print_json(value: Any) -> None:
    import json

    # ASCII, because a file name need not be valid in any encoding.
    print(json.dumps(value, indent=2))


def _print_table(columns: list[str], rows: list[list[str]]) -> None:
    """A rich table in a terminal, tab-separated lines elsewhere."""
    if not sys.stdout.isatty():
        for row in [columns, *rows]:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("id", "date"))
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _printable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode()
