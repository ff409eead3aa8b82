"""The umask that an implementation runs under."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pytest_reedbackup.connections.implementation import Implementation


@contextmanager
def under_umask(implementation: Implementation, mask: int) -> Iterator[None]:
    """Have the implementation, in process or not, called under this umask, and the harness too."""
    # A process has the umask of whoever started it.
    implementation.connection.close()
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)
        implementation.connection.close()
