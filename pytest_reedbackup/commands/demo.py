"""`reedbackup demo`."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_reedbackup.commands.demonstration.story import tell
from pytest_reedbackup.commands.demonstration.telling import Teller, kept
from pytest_reedbackup.injection.scratch import scratch
from reedbase_backup.cli.interruption import interruptible

EXAMPLES = ("reedbackup demo", "reedbackup demo --keep ./demo", "reedbackup demo --power-cuts 0")

_POWER_CUTS = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take where to keep the database, and how often to cut the power."""
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="DIR",
        help="make the database in this folder, which is not there yet or empty, and leave it there"
        " (default: in a temporary folder, which is removed)",
    )
    parser.add_argument(
        "--power-cuts",
        type=_count,
        default=_POWER_CUTS,
        metavar="N",
        help=f"cut the power at so many moments of a restore; 0 leaves that out"
        f" (default: {_POWER_CUTS})",
    )


def run(options: argparse.Namespace) -> int:
    """Tell the story, and fail where it does not come out as it is told."""
    where = str(options.keep or "a temporary folder, which is removed at the end")
    left = f"the database is in {options.keep}" if options.keep else "nothing is left of it"
    with (
        interruptible(lambda: f"interrupted; {left}"),
        kept(options.keep) if options.keep else scratch() as folder,
    ):
        tell(Teller(folder, where), options.power_cuts)
    return 0


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 4):
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 to 999")
    return int(text)
