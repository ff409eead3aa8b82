"""Operating system errors as the baseline reports them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reedbase_backup.errors import IoError


def exists(path: Path) -> bool:
    """Return whether something is at `path`; as in Rust, whatever error means no.

    `Path.exists` raises PermissionError where a folder on the way is closed.
    """
    return os.path.exists(path)


def reason(error: OSError) -> str:
    """Return the text that Rust shows for `error`, such as `Is a directory (os error 21)`."""
    if error.errno is None:
        return str(error)
    return f"{os.strerror(error.errno)} (os error {error.errno})"


@contextmanager
def reported(operation: str) -> Iterator[None]:
    """Raise an OSError from the block as IoError with this `operation`."""
    try:
        yield
    except OSError as error:
        raise IoError(operation=operation, reason=reason(error)) from error
