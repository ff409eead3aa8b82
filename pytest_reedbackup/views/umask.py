"""The umask of this process, which takes bits from the modes of the files that it makes."""

from __future__ import annotations

import os


def current_umask() -> int:
    """Return the umask."""
    umask = os.umask(0o022)  # there is no way to read it without setting it
    os.umask(umask)
    return umask
