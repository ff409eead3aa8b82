"""`reedbackup create`."""

from __future__ import annotations

import argparse

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import add_base
from reedbase_backup.cli.printing import print_json, print_line

EXAMPLES = ("reedbackup create .reed", "reedbackup create .reed --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database."""
    add_base(parser)


def run(options: argparse.Namespace) -> int:
    """Back up the database."""
    from reedbase_backup.create import create_backup

    info = create_backup(options.base)
    if options.json:
        print_json(info)
    else:
        print_line(messages.backup_created(info))
    return 0
