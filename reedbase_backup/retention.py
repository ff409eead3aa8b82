"""Which backups stay (ticket 060-OPS-01: "Keep last 32 backups, automatic cleanup")."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress

from reedbase_backup.catalogue import BackupName, backups_folder
from reedbase_backup.durable import PARTIAL_PREFIX

KEEP = 32
"""How many backups remain after a backup (ticket 060-OPS-01, "Architecture", step 6)."""


def surplus(backups: Sequence[BackupName], just_made: BackupName) -> list[BackupName]:
    """The backups to delete: all but the KEEP newest, and never `just_made`.

    `just_made` is not the newest where the clock went back.
    """
    others = sorted((name for name in backups if name != just_made), reverse=True)
    return others[KEEP - 1 :]


def prune(base_path: str, names: Sequence[BackupName]) -> None:
    """Deletes the backups `names`; all of them, or on an OSError none.

    Renaming can be taken back and deleting cannot, so all are renamed first.
    What is then not deleted is no backup any more, and the next backup removes it.
    """
    folder = backups_folder(base_path)
    retired: list[tuple[str, str]] = []
    try:
        for name in names:
            path = os.path.join(folder, name.file_name)
            hidden = os.path.join(folder, PARTIAL_PREFIX + name.file_name)
            os.rename(path, hidden)
            retired.append((hidden, path))
    except OSError:
        for hidden, path in retired:
            os.rename(hidden, path)
        raise
    for hidden, _ in retired:
        with suppress(OSError):
            os.unlink(hidden)
