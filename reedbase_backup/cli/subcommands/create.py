"""`reedbackup create`."""

from __future__ import annotations

import argparse
import time

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import add_base
from reedbase_backup.cli.interruption import interruptible
from reedbase_backup.cli.printing import print_json, print_sentence
from reedbase_backup.cli.progress import can_show, shown
from reedbase_backup.sizes import live_bytes

EXAMPLES = ("reedbackup create .reed", "reedbackup create .reed --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database."""
    add_base(parser)
    parser.add_argument(
        "--no-reuse",
        action="store_true",
        help="read and compress every file, those too that are as the last backup has them",
    )


def run(options: argparse.Namespace) -> int:
    """Back up the database."""
    from reedbase_backup.create import create_backup_at

    # It takes a look at each file, and JSON does not say it.
    is_said = can_show() or not options.json
    total_bytes = live_bytes(options.base) if is_said else 0
    started = time.monotonic()
    with (
        shown("Backing up", lambda: total_bytes) as meter,
        interruptible(lambda: messages.create_interrupted(is_made=meter.is_settled)),
    ):
        info = create_backup_at(
            options.base, time.time_ns(), reuse=not options.no_reuse, meter=meter
        )
    if options.json:
        print_json(info)
    else:
        print_sentence(messages.backup_created(info, total_bytes, time.monotonic() - started))
    return 0
