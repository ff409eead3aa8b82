"""`reedbackup restore`."""

from __future__ import annotations

import argparse

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import add_base
from reedbase_backup.cli.printing import print_json, print_line
from reedbase_backup.cli.quantities import NoTime, parse_time

EXAMPLES = (
    "reedbackup restore .reed --to 2026-11-22T10:00 --dry-run",
    "reedbackup restore .reed --to 1795338000",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database and a time."""
    add_base(parser)
    parser.add_argument(
        "--to",
        required=True,
        type=_time,
        metavar="TIME",
        help="the newest backup up to this time: Unix seconds, or a date such as 2026-11-22T10:00"
        " (local time, unless it ends in Z or an offset; a date alone is its first second)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be restored, and change nothing"
    )


def run(options: argparse.Namespace) -> int:
    """Restore the database, or say what that would change."""
    if options.dry_run:
        return _preview(options)
    from reedbase_backup.adapter.json_values import to_json_value
    from reedbase_backup.restore import restore_newest

    name, report = restore_newest(options.base, options.to)
    if options.json:
        print_json({"id": name.id, "timestamp": name.timestamp} | to_json_value(report))
    else:
        print_line(messages.backup_restored(name, report))
    return 0


def _preview(options: argparse.Namespace) -> int:
    from reedbase_backup.preview import preview

    outlook = preview(options.base, options.to)
    if options.json:
        print_json(outlook)
    else:
        for line in messages.preview_lines(outlook):
            print_line(line)
    return 0


def _time(text: str) -> int:
    try:
        return parse_time(text)
    except NoTime as error:
        raise argparse.ArgumentTypeError(str(error)) from error
