"""What a command says where a far end fails it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from reedbase_backup.cli.failures import Failed
from reedbase_backup.remote.errors import BadUrl, RemoteError


@contextmanager
def far_failures() -> Iterator[None]:
    """Raise Failed for what goes wrong at a far end."""
    try:
        yield
    except RemoteError as error:
        # A wrong URL is a wrong call.
        status = 2 if isinstance(error, BadUrl) else 1
        raise Failed(error.kind, str(error), error.advice, status=status) from error
