"""`reedbackup copy`."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING, Any

from reedbase_backup.cli.arguments import add_base
from reedbase_backup.cli.choosing.chosen import chosen
from reedbase_backup.cli.completion import completes_backups
from reedbase_backup.cli.databases import check_database
from reedbase_backup.cli.failures import error_fields
from reedbase_backup.cli.interruption import interruptible
from reedbase_backup.cli.printing import print_json, print_sentence
from reedbase_backup.cli.progress import shown

if TYPE_CHECKING:
    from reedbase_backup.catalogue import BackupName
    from reedbase_backup.remote.copying import Copied, Copy

EXAMPLES = (
    "reedbackup copy .reed /mnt/disk/backups",
    "reedbackup copy .reed s3://bucket/backups latest",
    "reedbackup copy .reed sftp://me@host/srv/backups --keep 90 --dry-run",
    "reedbackup list --from s3://bucket/backups",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database, a far end, and which backups."""
    add_base(parser)
    parser.add_argument(
        "url",
        metavar="URL",
        help="where to: a folder, s3://BUCKET/FOLDER, sftp://USER@HOST/FOLDER or"
        " gs://BUCKET/FOLDER; credentials come from the environment",
    )
    which = parser.add_argument(
        "ids", metavar="ID", nargs="*", help="only these backups, as restore --to takes them"
    )
    completes_backups(which)
    parser.add_argument(
        "--keep",
        type=_count,
        metavar="N",
        help="have only the N newest backups there, and delete older ones at the far end, once all"
        " was copied and compared (default: nothing is deleted there)",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="say what would be copied and dropped, and do not"
    )


def run(options: argparse.Namespace) -> int:
    """Copy what is not there, and drop what is to go."""
    from reedbase_backup.catalogue import archive_names
    from reedbase_backup.cli.remote import messages
    from reedbase_backup.cli.remote.failing import far_failures
    from reedbase_backup.remote.copying import Copy

    started = time.monotonic()
    with (
        interruptible(lambda: messages.COPY_INTERRUPTED),
        far_failures(),
        chosen(options.base, *options.ids) as picks,
    ):
        if not archive_names(options.base):
            check_database(options.base)
        copy = Copy(options.base, options.url, picks, keep=options.keep)
        if options.dry_run:
            return _preview(options, copy)
        with shown("Copying", lambda: copy.total_bytes) as meter:
            backups = copy.send(meter)
        if not options.json:
            for line in messages.copied_lines(backups, copy.place, time.monotonic() - started):
                print_sentence(line)
        surplus = copy.surplus()
        _say_drops(options, copy, surplus)
        copy.drop(surplus)
    if options.json:
        print_json(_fields(copy, [_outcome(backup) for backup in backups], surplus))
    elif copy.has_failed and options.keep is not None:
        print_sentence(messages.drops_nothing(options.keep))
    return int(copy.has_failed)


def _preview(options: argparse.Namespace, copy: Copy) -> int:
    from reedbase_backup.cli.remote import messages

    surplus = copy.expected_surplus()
    if options.json:
        would = [{"id": name.id, "timestamp": name.timestamp} for name in copy.to_send]
        print_json(_fields(copy, would, surplus))
        return 0
    print_sentence(messages.would_copy(copy.to_send, copy.place, copy.bytes_to_send))
    _say_drops(options, copy, surplus)
    return 0


def _say_drops(options: argparse.Namespace, copy: Copy, surplus: list[BackupName]) -> None:
    from reedbase_backup.cli.remote import messages

    if options.json:
        return
    for name in surplus:
        print_sentence(messages.drops(name, copy.place, options.keep, is_dry_run=options.dry_run))


def _outcome(backup: Copied) -> dict[str, Any]:
    fields = {name: getattr(backup, name) for name in type(backup).__slots__}
    return fields | {"error": None if backup.error is None else error_fields(backup.error)}


def _fields(copy: Copy, backups: list[dict[str, Any]], surplus: list[BackupName]) -> dict[str, Any]:
    return {"url": str(copy.place), "backups": backups, "dropped": [name.id for name in surplus]}


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not int(text[:9]) > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of backups; give 1 or more")
    return int(text)
