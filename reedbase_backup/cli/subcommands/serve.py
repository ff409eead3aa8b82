"""`reedbackup serve`."""

from __future__ import annotations

import argparse

from reedbase_backup.cli.failures import Failed

EXAMPLES = ("reedbackup serve python", "reedbackup serve my_package.backup:Implementation")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take an implementation."""
    parser.add_argument(
        "implementation",
        nargs="?",
        default="python",
        metavar="IMPL",
        help="python (the reference, default), python-last (the port of the baseline)"
        " or MODULE:OBJECT",
    )


def run(options: argparse.Namespace) -> int:
    """Serve the implementation until stdin ends."""
    from reedbase_backup.adapter.loading import UnusableImplementation
    from reedbase_backup.adapter.serving import CLOSED, serve

    try:
        if options.closed_streams & {"stdin", "stdout"}:
            raise UnusableImplementation(CLOSED)
        serve(options.implementation)
    except UnusableImplementation as error:
        raise Failed("UnusableImplementation", f"serve: {error}", status=2) from error
    return 0
