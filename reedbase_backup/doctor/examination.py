"""The whole examination, in the order in which it is told."""

from __future__ import annotations

import os
import time

from reedbase_backup import catalogue
from reedbase_backup.disk.existence import folder_exists
from reedbase_backup.doctor import archives, base, tables
from reedbase_backup.doctor.finding import Finding
from reedbase_backup.errors import IoError, translated
from reedbase_backup.types import BasePath


def examine(base_path: BasePath) -> list[Finding]:
    """Return all that is found, without changing anything.

    What a call at work has open looks like what one that was cut off has left, and is
    left out. Raise IoError where the base is no folder, or the disk fails, and
    PermissionDenied.
    """
    path = os.fsdecode(base_path)
    with translated("doctor"):
        if not folder_exists(path):
            raise IoError("open_base", f"{path} is not a folder")
        names = catalogue.archive_names(path)
        is_busy = base.is_busy(path)
        return [
            *base.roots(path),
            *base.locks(path),
            *([] if is_busy else base.leftovers(path)),
            *([] if is_busy else archives.leftovers(path)),
            *base.kept(path, int(time.time())),
            *archives.clock(path, names, int(time.time())),
            *archives.unreadable(path, names),
            *archives.exposed(path, names),
            *base.room(path),
            *tables.tables(path),
            *tables.users(path),
            *tables.specials(path),
        ]
