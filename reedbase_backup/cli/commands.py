"""What each command of `reedbackup` does.

Exit status: 0 done, 1 failed (the error is one line on stderr), 2 a wrong call. Each
loads what it needs: a list takes a third of the time that loading all of it takes.
"""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence, Set
from contextlib import redirect_stdout
from io import StringIO
from typing import TYPE_CHECKING, Any

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import Run, make_parser
from reedbase_backup.cli.printing import print_json, print_line, print_table, printable
from reedbase_backup.cli.quantities import age, date, size
from reedbase_backup.cli.standard_streams import abandon, open_closed_streams, say
from reedbase_backup.errors import ReedError

if TYPE_CHECKING:
    from reedbase_backup.verify import Verification

# What shells report of a program that SIGINT has ended.
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
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
        say(messages.INTERRUPTED)
        return _INTERRUPTED
    return status


def _run(arguments: Sequence[str] | None, closed: Set[str]) -> int:
    help_text = StringIO()
    try:
        with redirect_stdout(help_text):
            options = make_parser(_RUNS).parse_args(
                arguments, argparse.Namespace(closed_streams=closed)
            )
    except SystemExit as end:
        # argparse itself would not notice that it could not print.
        sys.stdout.write(help_text.getvalue())
        return end.code if isinstance(end.code, int) else 0
    run: Run = options.run
    try:
        return run(options)
    except ReedError as error:
        _report_error(options, error.kind, error.fields, messages.explanation(error, options.base))
    return 1


def _create(options: argparse.Namespace) -> int:
    from reedbase_backup.create import create_backup

    info = create_backup(options.base)
    if options.json:
        print_json(info)
    else:
        print_line(messages.backup_created(info))
    return 0


def _list(options: argparse.Namespace) -> int:
    from reedbase_backup.list import list_backups

    backups = list_backups(options.base)
    if options.json:
        print_json(backups)
        return 0
    if not backups:
        print_line(messages.no_backups(options.base))
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
        from reedbase_backup.preview import preview

        outlook = preview(options.base, options.to)
        if options.json:
            print_json(outlook)
        else:
            for line in messages.preview_lines(outlook):
                print_line(line)
        return 0
    from reedbase_backup.adapter.json_values import to_json_value
    from reedbase_backup.restore import restore_newest

    name, report = restore_newest(options.base, options.to)
    if options.json:
        print_json({"id": name.id, "timestamp": name.timestamp} | to_json_value(report))
    else:
        print_line(messages.backup_restored(name, report))
    return 0


def _verify(options: argparse.Namespace) -> int:
    from reedbase_backup.verify import UnknownBackup, verify

    try:
        verifications = verify(options.base, options.ids)
    except UnknownBackup as error:
        _report_error(options, "UnknownBackup", {}, str(error))
        return 1
    if options.json:
        print_json([_verification_fields(one) for one in verifications])
    elif not verifications:
        print_line(messages.no_backups(options.base))
    else:
        print_table(
            ["id", "date", "size", "verdict"],
            [
                [
                    one.id,
                    date(one.timestamp),
                    "?" if one.size_bytes is None else size(one.size_bytes),
                    messages.verdict(one),
                ]
                for one in verifications
            ],
        )
    return 0 if all(one.is_sound for one in verifications) else 1


def _adapter_rust(options: argparse.Namespace) -> int:
    from reedbase_backup.adapter.rust.crate import CrateError
    from reedbase_backup.adapter.rust.generator import generate

    try:
        executable = generate(
            options.crate,
            options.contract,
            options.out,
            options.name,
            options.module,
            binary=options.binary,
            registry=options.registry,
        )
    except (CrateError, OSError) as error:
        print(f"reedbackup adapter: {error}", file=sys.stderr)
        return 2
    manifest = shlex.quote(str(options.out / "Cargo.toml"))
    print(f"Build it:  cargo build --release --manifest-path {manifest}")
    print(f"Use it:    pytest --reedbackup-impl={shlex.quote(str(executable))}")
    return 0


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


_RUNS: dict[str, Run] = {
    "create": _create,
    "list": _list,
    "restore": _restore,
    "verify": _verify,
    "adapter rust": _adapter_rust,
    "serve": _serve,
}


def _verification_fields(one: Verification) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in type(one).__slots__ if name != "damage"}
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
