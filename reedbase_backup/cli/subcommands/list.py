"""`reedbackup list`."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import path_of
from reedbase_backup.cli.databases import check_database
from reedbase_backup.cli.printing import print_json, print_sentence, print_table
from reedbase_backup.cli.quantities import age, date, size

if TYPE_CHECKING:
    from reedbase_backup.types import BackupInfo

EXAMPLES = (
    "reedbackup list .reed",
    "reedbackup list .reed --json",
    "reedbackup list --from s3://bucket/backups",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database, or a far end."""
    where = parser.add_mutually_exclusive_group(required=True)
    of_base = path_of("a .reed database")
    where.add_argument(
        "base", type=of_base, nargs="?", metavar="BASE", help="the database's .reed folder"
    )
    where.add_argument(
        "--from", dest="source", metavar="URL", help="list what copy has brought there, instead"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(options: argparse.Namespace) -> int:
    """List the backups of a database, or at a far end."""
    if options.source is not None:
        from reedbase_backup.cli.remote.listing import list_far_end

        return list_far_end(options)
    from reedbase_backup.list import list_backups

    backups = list_backups(options.base)
    if not backups:
        check_database(options.base)
    if options.json:
        print_json(backups)
        return 0
    if not backups:
        print_sentence(messages.no_backups(options.base))
        return 0
    now = int(time.time())
    dropped = _dropped_by_the_next(backups, now)
    columns = ["id", "date", "age", "size", "tables", "next create"]
    rows = [
        [
            info.id,
            date(info.timestamp),
            age(info.timestamp, now),
            size(info.size_bytes),
            str(info.table_count),
            "drops it" if info.id in dropped else "keeps it",
        ]
        for info in backups
    ]
    if not dropped and sys.stdout.isatty():
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    print_table(columns, rows, gives_way=("date", "tables", "size", "age"))
    return 0


def _dropped_by_the_next(backups: Sequence[BackupInfo], now: int) -> set[str]:
    """Return the ids of the backups that a create would delete now."""
    from reedbase_backup.catalogue import SUFFIX, BackupName
    from reedbase_backup.retention import surplus

    names = [name for info in backups if (name := BackupName.parse(info.id + SUFFIX))]
    return {name.id for name in surplus(names, BackupName(now))}
