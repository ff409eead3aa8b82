"""What is live and in no backup: a restore would lose it for good."""

from __future__ import annotations

import os

from reedbase_backup import catalogue
from reedbase_backup.comparing import trees
from reedbase_backup.disk.base_lock import base_watched
from reedbase_backup.errors import ReedError, translated
from reedbase_backup.types import BasePath


def unsaved_files(base_path: BasePath) -> list[str]:
    """Return the live files, by path, that no backup holds as they are now.

    A backup that would not restore holds nothing. Backups are read newest first, and
    no more of them than it takes. Changes nothing on disk. Raise IoError, PermissionDenied
    or LockTimeout.
    """
    base = os.fsdecode(base_path)
    with base_watched(base), translated("read_source"):
        tree = trees.live(base)
        missing = {name: node for name, node in tree.items() if node.kind != "folder"}
        for name in catalogue.archive_names(base):
            if not missing:
                break
            try:
                held, _ = trees.archived(base, name)
            except (ReedError, OSError):
                continue
            missing = {n: node for n, node in missing.items() if not node.is_like(held.get(n))}
    return sorted(missing)
