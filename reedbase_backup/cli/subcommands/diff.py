"""`reedbackup diff`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from reedbase_backup.cli.arguments import add_base
from reedbase_backup.cli.choosing.chosen import chosen
from reedbase_backup.cli.choosing.moments import WAYS
from reedbase_backup.cli.completion import completes_backups
from reedbase_backup.cli.printing import print_json, print_line, print_sentence

if TYPE_CHECKING:
    from reedbase_backup.comparing.trees import Changes

EXAMPLES = ("reedbackup diff .reed latest live", "reedbackup diff .reed 1795338000 1795341600")

_LIVE = "live"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database, and what of it to compare."""
    add_base(parser)
    completes_backups(parser.add_argument("old", metavar="ID", help=f"a backup: {WAYS}"))
    new = parser.add_argument("new", metavar="ID|live", help="another backup, or what is live")
    completes_backups(new, _LIVE)


def run(options: argparse.Namespace) -> int:
    """Say what is another in the new one: content and mode, and no times."""
    from reedbase_backup.comparing import trees

    words = [options.old] if options.new == _LIVE else [options.old, options.new]
    with chosen(options.base, *words) as picks:
        old, *others = (trees.of_backup(options.base, pick)[1] for pick in picks)
    changes = trees.compare(old, others[0] if others else trees.of_database(options.base))
    if options.json:
        print_json(changes)
    else:
        _print(changes)
    return 0


def _print(changes: Changes) -> None:
    """Print a line for each name, by signs as of restic and git, and how many there are."""
    kinds = (
        ("+", "added", changes.added),
        ("-", "removed", changes.removed),
        ("M", "changed", changes.changed),
        ("m", "changed in mode only", changes.mode_changed),
    )
    lines = {name: sign for sign, _, names in kinds for name in names}
    for name, sign in sorted(lines.items()):
        print_line(f"{sign} {name}")
    counts = [f"{sign} {len(names)} {words}" for sign, words, names in kinds if names]
    print_sentence(", ".join(counts) or "Nothing differs.")
