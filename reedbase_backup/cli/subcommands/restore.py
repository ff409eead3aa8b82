"""`reedbackup restore`."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import add_base, path_of
from reedbase_backup.cli.asking import agrees, can_ask
from reedbase_backup.cli.choosing.chosen import archive_bytes, chosen, picked_bytes
from reedbase_backup.cli.choosing.moments import WAYS
from reedbase_backup.cli.completion import completes_backups
from reedbase_backup.cli.failures import Failed
from reedbase_backup.cli.interruption import interruptible
from reedbase_backup.cli.printing import print_json, print_line
from reedbase_backup.cli.progress import shown

if TYPE_CHECKING:
    from reedbase_backup.catalogue import BackupName
    from reedbase_backup.picks import Pick
    from reedbase_backup.types import RestoreReport

EXAMPLES = (
    "reedbackup restore .reed --to latest",
    "reedbackup restore .reed --to 1h --dry-run",
    "reedbackup restore .reed --to 2026-11-22T10:00 --yes",
    "reedbackup restore .reed --to yesterday --target ./yesterday.reed",
    "reedbackup restore .reed --to latest --from s3://bucket/backups",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database, and which backup of it."""
    add_base(parser)
    to = parser.add_argument(
        "--to", required=True, metavar="WHEN", help=f"the newest backup up to then: {WAYS}"
    )
    completes_backups(to)
    parser.add_argument(
        "--from",
        dest="source",
        metavar="URL",
        help="take a backup that copy has brought there; the database may be gone altogether",
    )
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
    if options.source is not None:
        from reedbase_backup.cli.remote import restoring

        if options.dry_run:
            return restoring.preview(options)
        with restoring.fetched(options) as (options.base, pick):
            return _restore(options, pick)
    with chosen(options.base, options.to) as [pick]:
        return _preview(options, pick) if options.dry_run else _restore(options, pick)


def _restore(options: argparse.Namespace, pick: Pick) -> int:
    from reedbase_backup.adapter.json_values import to_json_value

    restored = _in_place if options.target is None else _elsewhere
    name, report = restored(options, pick)
    if options.json:
        print_json({"id": name.id, "timestamp": name.timestamp} | to_json_value(report))
    else:
        size = archive_bytes(options.base, name)
        print_line(messages.backup_restored(name, report, size, into=options.target or ""))
    return 0


def _in_place(options: argparse.Namespace, pick: Pick) -> tuple[BackupName, RestoreReport]:
    from reedbase_backup.restore import restore_picked
    from reedbase_backup.swap.working_folders import is_cut_off

    if not options.yes and can_ask():
        _ask(options, pick)
    with (
        shown("Restoring", picked_bytes(options.base, pick)) as meter,
        interruptible(
            lambda: messages.restore_interrupted(
                is_done=meter.is_settled, is_cut_off=is_cut_off(options.base)
            )
        ),
    ):
        return restore_picked(options.base, pick, meter)


def _elsewhere(options: argparse.Namespace, pick: Pick) -> tuple[BackupName, RestoreReport]:
    from reedbase_backup.elsewhere import restore_elsewhere

    with (
        shown("Restoring", picked_bytes(options.base, pick)) as meter,
        interruptible(
            lambda: messages.target_interrupted(options.target, is_done=meter.is_settled)
        ),
    ):
        return restore_elsewhere(options.base, pick, options.target, meter)


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
