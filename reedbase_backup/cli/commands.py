"""The command `reedbackup`: runs the one that is called, and says what becomes of it.

Exit status: 0 done, 1 failed (stderr says what happened and what to do), 2 a wrong
call, 130 interrupted. Each command loads what it needs: a list takes a third of the
time that loading all of it takes.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence, Set
from contextlib import redirect_stdout
from io import StringIO

from reedbase_backup.cli import failures, messages
from reedbase_backup.cli.arguments import DEBUG, make_parser
from reedbase_backup.cli.failures import Failed
from reedbase_backup.cli.interruption import Interrupted
from reedbase_backup.cli.standard_streams import (
    abandon,
    hint,
    open_closed_streams,
    say,
    say_interrupted,
)
from reedbase_backup.errors import ReedError

# What shells report of a program that SIGINT has ended.
_INTERRUPTED = 130
# By which a shell asks for what may come next on a command line.
_COMPLETING = "_ARGCOMPLETE"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    closed = open_closed_streams()
    if arguments is None:
        arguments = sys.argv[1:]
        if DEBUG not in arguments:
            sys.excepthook = _end_in_a_line
    try:
        status = _run(arguments, closed)
        # At exit it would be too late to say that it failed.
        sys.stdout.flush()
    except OSError as error:
        # The reader may just have read enough.
        if not isinstance(error, BrokenPipeError):
            say(f"the output cannot be written: {error.strerror}")
        abandon(sys.stdout)
        return 1
    except KeyboardInterrupt as error:
        say_interrupted(str(error) if isinstance(error, Interrupted) else messages.INTERRUPTED)
        return _INTERRUPTED
    return status


def _run(arguments: Sequence[str], closed: Set[str]) -> int:
    if _COMPLETING in os.environ:
        from reedbase_backup.cli.completion import complete

        complete(os.environ, make_parser)
    help_text = StringIO()
    try:
        with redirect_stdout(help_text):
            parser = make_parser(arguments)
            if not arguments:
                parser.print_help()
                parser.exit()
            options = parser.parse_args(arguments, argparse.Namespace(closed_streams=closed))
    except SystemExit as end:
        # argparse itself would not notice that it could not print.
        sys.stdout.write(help_text.getvalue())
        return end.code if isinstance(end.code, int) else 0
    return _called(options)


def _called(options: argparse.Namespace) -> int:
    try:
        status: int = options.run(options)
    except Failed as failure:
        failures.report(options, failure)
        return failure.status
    except ReedError as error:
        failures.report(options, failures.of_error(error, options.base))
        return 1
    return status


def _end_in_a_line(kind: type[BaseException], error: BaseException, _: object) -> None:
    """Say what nobody has foreseen, as `sys.excepthook`."""
    say(f"{kind.__name__}: {error}; this is a fault of reedbackup itself")
    hint("call it again with --debug, and report what that shows")
