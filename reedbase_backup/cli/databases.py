"""Whether a path is that of a database at all: a slip must not look like a database in order."""

from __future__ import annotations

import os

from reedbase_backup.errors import IoError, NoTablesFound


def check_database(base: str) -> None:
    """Raise IoError where `base` is no folder, NoTablesFound where it has no tables/."""
    if not os.path.isdir(base):
        raise IoError("open_base", f"{base} is not a folder")
    if not os.path.lexists(os.path.join(base, "tables")):
        raise NoTablesFound
