"""`reedbackup restore`."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import add_base, path_of
from reedbase_backup.cli.asking import agrees, can_ask
from reedbase_backup.cli.choosing.chosen import archive_bytes, chosen
from reedbase_backup.cli.choosing.moments import WAYS
from reedbase_backup.cli.completion import completes_backups
from reedbase_backup.cli.failures import Failed
from reedbase_backup.cli.interruption import interruptible
from reedbase_backup.cli.printing import print_json, print_line
from reedbase_backup.cli.progress import shown

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from reedbase_backup.meter import Meter
    from reedbase_backup.picks import Pick

EXAMPLES = (
    "reedbackup restore .reed --to latest",
    "reedbackup restore .reed --to 1h --dry-run",
    "reedbackup restore .reed --to 2026-11-22T10:00 --yes",
    "reedbackup restore .reed --to yesterday --target ./yesterday.reed",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database, and which backup of it."""
    add_base(parser)
    to = parser.add_argument(
        "--to", required=True, metavar="WHEN", help=f"the newest backup up to then: {WAYS}"
    )
    completes_backups(to)
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument(
        "--dry-run", action="store_true", help="say what would be restored, and change nothing"
    )
    instead.add_argument(
        "--target",
        type=path_of("a folder that is not there yet"),
        metavar="DIR",
        help="restore into this folder, which is not there yet or empty, and not into the database",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="do not ask before what no backup holds is lost; where stdin or stderr is no"
        " terminal, nothing is asked, and the restore goes on",
    )


def run(options: argparse.Namespace) -> int:
    """Restore the database, or say what that would change."""
    with chosen(options.base, options.to) as [pick]:
        if options.dry_run:
            return _preview(options, pick)
        return _restore_to(options, pick) if options.target else _restore(options, pick)


def _restore(options: argparse.Namespace, pick: Pick) -> int:
    from reedbase_backup.adapter.json_values import to_json_value
    from reedbase_backup.picks import by_id
    from reedbase_backup.restore import restore_picked

    if not options.yes and can_ask():
        _ask(options, pick)
    with (
        shown("Restoring", archive_bytes(options.base, pick)) as meter,
        _interruptible(options.base, meter),
    ):
        name, report = restore_picked(options.base, pick, meter)
    if options.json:
        print_json({"id": name.id, "timestamp": name.timestamp} | to_json_value(report))
    else:
        size = archive_bytes(options.base, by_id(name.id))
        print_line(messages.backup_restored(name, report, size))
    return 0


def _restore_to(options: argparse.Namespace, pick: Pick) -> int:
    from reedbase_backup.adapter.json_values import to_json_value
    from reedbase_backup.elsewhere import restore_elsewhere
    from reedbase_backup.picks import by_id

    with (
        shown("Restoring", archive_bytes(options.base, pick)) as meter,
        interruptible(
            lambda: messages.target_interrupted(options.target, is_done=meter.is_settled)
        ),
    ):
        name, report = restore_elsewhere(options.base, pick, options.target, meter)
    if options.json:
        print_json({"id": name.id, "timestamp": name.timestamp} | to_json_value(report))
    else:
        size = archive_bytes(options.base, by_id(name.id))
        print_line(messages.backup_restored(name, report, size, into=options.target))
    return 0


def _interruptible(base: str, meter: Meter) -> AbstractContextManager[None]:
    from reedbase_backup.swap.working_folders import is_cut_off

    return interruptible(
        lambda: messages.restore_interrupted(is_done=meter.is_settled, is_cut_off=is_cut_off(base))
    )


def _ask(options: argparse.Namespace, pick: Pick) -> None:
    """Raise Failed where something would be lost, and whoever is asked does not want that."""
    from reedbase_backup.comparing.preview import preview
    from reedbase_backup.comparing.unsaved import unsaved_files

    outlook = preview(options.base, pick)
    lost = [] if outlook.is_empty else unsaved_files(options.base)
    if not lost:
        return
    lines = [*messages.loss_lines(outlook, lost, options.base, int(time.time()))]
    if not agrees(lines, "Restore all the same?"):
        advice = f"reedbackup create {messages.quoted(options.base)} backs up what is there now"
        raise Failed("NotConfirmed", "nothing was restored, and nothing has changed", advice)


def _preview(options: argparse.Namespace, pick: Pick) -> int:
    from reedbase_backup.comparing.preview import preview

    outlook = preview(options.base, pick)
    if options.json:
        print_json(outlook)
    else:
        for line in messages.preview_lines(outlook):
            print_line(line)
    return 0
