"""`reedbackup list`."""

from __future__ import annotations

import argparse
import time

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import add_base
from reedbase_backup.cli.databases import check_database
from reedbase_backup.cli.printing import print_json, print_line, print_table
from reedbase_backup.cli.quantities import age, date, size

EXAMPLES = ("reedbackup list .reed", "reedbackup list .reed --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database."""
    add_base(parser)


def run(options: argparse.Namespace) -> int:
    """List the database's backups."""
    from reedbase_backup.list import list_backups

    backups = list_backups(options.base)
    if not backups:
        check_database(options.base)
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
