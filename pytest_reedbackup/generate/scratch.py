"""Where databases are that are there for one example only."""

from __future__ import annotations

import tempfile
from pathlib import Path


def scratch_folder() -> Path | None:
    """Return memory-backed storage where there is any: generated examples are about logic.

    What a disk does to data is the business of the fault cases.
    """
    memory = Path("/dev/shm")
    return memory if memory.is_dir() else Path(tempfile.gettempdir())
