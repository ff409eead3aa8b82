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
from reedbase_backup.cli.printing import print_json, print_sentence
from reedbase_backup.cli.progress import shown
from reedbase_backup.errors import IoError

if TYPE_CHECKING:
    from reedbase_backup.catalogue import BackupName
    from reedbase_backup.picks import Pick
    from reedbase_backup.swap.undo import Replaced
    from reedbase_backup.types import RestoreReport

EXAMPLES = (
    "reedbackup restore .reed --to latest",
    "reedbackup restore .reed --to 1h --dry-run",
    "reedbackup restore .reed --to 2026-11-22T10:00 --yes",
    "reedbackup restore .reed --to yesterday --target ./yesterday.reed",
    "reedbackup restore .reed --to latest --from s3://bucket/backups",
    "reedbackup restore .reed --to latest --undoable",
    "reedbackup restore .reed --undo",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database, and which backup of it."""
    add_base(parser)
    what = parser.add_mutually_exclusive_group(required=True)
    to = what.add_argument("--to", metavar="WHEN", help=f"the newest backup up to then: {WAYS}")
    completes_backups(to)
    what.add_argument(
        "--undo",
        action="store_true",
        help="bring back, once, what the last restore with --undoable replaced, exactly as it was",
    )
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
        "--undoable",
        action="store_true",
        help="move what is replaced aside, for --undo, to BASE/.reedbackup-undo-…; it takes its"
        " room until it is brought back, is removed by hand, or the next restore with --undoable"
        " takes its place; every file is written",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="do not ask before what no backup holds is lost; where stdin or stderr is no"
        " terminal, nothing is asked, and the restore goes on",
    )


def run(options: argparse.Namespace) -> int:
    """Restore the database, or say what that would change; or bring back what was replaced."""
    _check(options)
    if options.undo:
        return _undo(options)
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
        print_sentence(messages.backup_restored(name, report, size, into=options.target or ""))
        if options.undoable:
            print_sentence(messages.can_be_undone(options.base))
    return 0


def _check(options: argparse.Namespace) -> None:
    """Raise Failed where an option is given that has nothing to do."""
    others = {
        "--from": options.source,
        "--undoable": options.undoable,
        "--dry-run": options.dry_run,
        "--target": options.target,
    }
    given = [option for option, value in others.items() if value]
    if options.undo and given:
        words = f"--undo brings back a tree as it was, so it takes no {given[0]}"
    elif options.undoable and options.target:
        words = "--target replaces nothing, so there is nothing to undo"
    else:
        return
    raise Failed("WrongCall", words, "reedbackup restore --help shows how", status=2)


def _undo(options: argparse.Namespace) -> int:
    from reedbase_backup.adapter.json_values import to_json_value
    from reedbase_backup.swap.working_folders import is_cut_off
    from reedbase_backup.undo import NOTHING, replaced, undo_restore

    kept = replaced(options.base)
    if kept is not None and not options.yes and can_ask():
        _ask_to_undo(options.base, kept)
    with interruptible(
        lambda: messages.undo_interrupted(
            is_done=replaced(options.base) is None, is_cut_off=is_cut_off(options.base)
        )
    ):
        try:
            report = undo_restore(options.base)
        except IoError as error:
            if error.operation != NOTHING:
                raise
            advice = messages.how_to_keep(options.base)
            raise Failed("NothingToUndo", error.reason, advice) from error
    at = int(time.time()) if kept is None else kept.at
    if options.json:
        print_json({"replaced_at": at} | to_json_value(report))
    else:
        print_sentence(messages.restore_undone(report, at))
    return 0


def _ask_to_undo(base: str, kept: Replaced) -> None:
    """Raise Failed as `_ask` does, about what is neither in a backup nor in what comes back."""
    from reedbase_backup.undo import unsaved_by_undo

    lost = unsaved_by_undo(base, kept)
    if lost and not agrees(
        [*messages.undo_loss_lines(lost, base, kept.at, int(time.time()))], "Undo all the same?"
    ):
        raise _not_confirmed(base, "nothing was undone, and nothing has changed")


def _in_place(options: argparse.Namespace, pick: Pick) -> tuple[BackupName, RestoreReport]:
    from reedbase_backup.restore import restore_picked
    from reedbase_backup.swap.working_folders import is_cut_off

    # What is kept for --undo is not lost.
    if not options.yes and not options.undoable and can_ask():
        _ask(options, pick)
    with (
        shown("Restoring", lambda: picked_bytes(options.base, pick)) as meter,
        interruptible(
            lambda: messages.restore_interrupted(
                is_done=meter.is_settled, is_cut_off=is_cut_off(options.base)
            )
        ),
    ):
        return restore_picked(options.base, pick, meter, undoable=options.undoable)


def _elsewhere(options: argparse.Namespace, pick: Pick) -> tuple[BackupName, RestoreReport]:
    from reedbase_backup.elsewhere import restore_elsewhere

    with (
        shown("Restoring", lambda: picked_bytes(options.base, pick)) as meter,
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
        words = "nothing was restored, and nothing has changed"
        raise _not_confirmed(options.base, words, "; with --undoable, restore keeps it")


def _not_confirmed(base: str, words: str, or_else: str = "") -> Failed:
    advice = f"reedbackup create {messages.quoted(base)} backs up what is there now{or_else}"
    return Failed("NotConfirmed", words, advice)


def _preview(options: argparse.Namespace, pick: Pick) -> int:
    from reedbase_backup.comparing.preview import preview

    outlook = preview(options.base, pick)
    if options.json:
        print_json(outlook)
    else:
        for line in messages.preview_lines(outlook):
            print_sentence(line)
    return 0
