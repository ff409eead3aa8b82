"""`reedbackup verify`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import add_base
from reedbase_backup.cli.choosing.chosen import all_bytes
from reedbase_backup.cli.databases import check_database
from reedbase_backup.cli.failures import Failed, error_fields
from reedbase_backup.cli.printing import print_json, print_sentence, print_table
from reedbase_backup.cli.progress import shown
from reedbase_backup.cli.quantities import date, size
from reedbase_backup.sizes import live_bytes

if TYPE_CHECKING:
    from reedbase_backup.verify import Verification

EXAMPLES = (
    "reedbackup verify .reed",
    "reedbackup verify .reed --deep",
    "reedbackup verify .reed 1795338000 1795338000-2",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database, ids, and whether to read what is live, too."""
    add_base(parser)
    parser.add_argument("ids", metavar="ID", nargs="*", help="only these backups (default: all)")
    parser.add_argument(
        "--deep",
        action="store_true",
        help="read the live tables and indices, too, under their locks: a file of the size and time"
        " that the newest sound backup has of it must have its content, too",
    )


def run(options: argparse.Namespace) -> int:
    """Read the backups, and say which are sound."""
    from reedbase_backup.picks import UnknownBackup
    from reedbase_backup.verify import verify

    try:
        with shown("Verifying", lambda: _bytes_to_read(options)) as meter:
            verifications = verify(options.base, options.ids, deep=options.deep, meter=meter)
    except UnknownBackup as error:
        raise Failed("UnknownBackup", str(error), messages.see_list(options.base)) from error
    if not verifications:
        check_database(options.base)
    if options.json:
        print_json([_fields(one) for one in verifications])
    elif not verifications:
        print_sentence(messages.no_backups(options.base))
    else:
        print_table(
            ["id", "date", "size", "verdict"],
            [
                [
                    one.id,
                    date(one.timestamp),
                    "?" if one.size_bytes is None else size(one.size_bytes),
                    messages.verdict(one),
                ]
                for one in verifications
            ],
            gives_way=("date", "size"),
        )
        if options.deep:
            for line in messages.live_lines(verifications):
                print_sentence(line)
    return 0 if all(one.is_sound and not one.is_doubted for one in verifications) else 1


def _bytes_to_read(options: argparse.Namespace) -> int:
    return all_bytes(options.base, options.ids) + (live_bytes(options.base) if options.deep else 0)


def _fields(one: Verification) -> dict[str, Any]:
    fields = {name: getattr(one, name) for name in type(one).__slots__ if name != "damage"}
    damage = None if one.damage is None else error_fields(one.damage)
    return {**fields, "is_sound": one.is_sound, "damage": damage}
