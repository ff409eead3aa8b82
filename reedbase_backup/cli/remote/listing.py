"""The backups at a far end, as `reedbackup list --from` shows them."""

from __future__ import annotations

import argparse
import time

from reedbase_backup.cli.printing import print_json, print_sentence, print_table
from reedbase_backup.cli.quantities import age, date, size
from reedbase_backup.cli.remote import messages
from reedbase_backup.cli.remote.failing import far_failures
from reedbase_backup.remote.listing import list_remote
from reedbase_backup.remote.urls import place


def list_far_end(options: argparse.Namespace) -> int:
    """List them, newest first, and which of them were read back there."""
    with far_failures():
        backups = list_remote(options.source)
        where = str(place(options.source))
    if options.json:
        print_json(backups)
    elif not backups:
        print_sentence(messages.no_far_backups(where))
    else:
        now = int(time.time())
        rows = [
            [
                backup.id,
                date(backup.timestamp),
                age(backup.timestamp, now),
                size(backup.size_bytes),
                "not read back" if backup.sha256 is None else "read back",
            ]
            for backup in backups
        ]
        columns = ["id", "date", "age", "size", "checked"]
        print_table(columns, rows, gives_way=("date", "size", "age"))
    return 0
