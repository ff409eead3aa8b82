"""What a command says when it fails: a line on what happened, one on what to do, and JSON."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reedbase_backup.cli import messages
from reedbase_backup.cli.printing import print_json, printable
from reedbase_backup.cli.standard_streams import hint, say
from reedbase_backup.errors import ReedError

if TYPE_CHECKING:
    from reedbase_backup.remote.errors import RemoteError


class Failed(Exception):
    """A command failed for a reason that no ReedError has.

    `kind` is for programs, `advice` says what to do, and `status` is that of the exit.
    """

    def __init__(
        self,
        kind: str,
        message: str,
        advice: str = "",
        *,
        fields: Mapping[str, Any] | None = None,
        status: int = 1,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.fields = fields or {}
        self.message = message
        self.advice = advice
        self.status = status


def of_error(error: ReedError, base: str) -> Failed:
    """Return what is to be said of an error of the database at `base`."""
    message, advice = messages.explanation(error, base)
    failure = Failed(error.kind, message, advice, fields=error.fields)
    failure.__cause__ = error
    return failure


def report(options: argparse.Namespace, failure: Failed) -> None:
    """Say on stderr what failed and what to do, and on stdout as JSON if that is asked for."""
    if getattr(options, "debug", False):
        import traceback

        traceback.print_exception(failure)
    say(printable(failure.message))
    if failure.advice:
        hint(printable(failure.advice))
    if getattr(options, "json", False):
        names = ("kind", "fields", "message", "advice")
        print_json({"error": {name: getattr(failure, name) for name in names}})


def error_fields(error: ReedError | RemoteError) -> dict[str, Any]:
    """Return what JSON has of an error that a result holds."""
    fields = error.fields if isinstance(error, ReedError) else {}
    return {"kind": error.kind, "fields": fields, "message": str(error)}
