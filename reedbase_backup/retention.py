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


def retire(base_path: str, names: Sequence[BackupName]) -> list[str]:
    """Makes the backups `names` no backups any more; all of them, or on an error none.

    Renaming can be taken back and deleting cannot, so this renames. Returns the
    new paths, for `delete`.
    """
    folder = backups_folder(base_path)
    retired: list[tuple[str, str]] = []
    try:
        for name in names:
            path = os.path.join(folder, name.file_name)
            hidden = os.path.join(folder, PARTIAL_PREFIX + name.file_name)
            # Noted first: an interrupt may come as the rename has just been done.
            retired.append((hidden, path))
            os.rename(path, hidden)
    except BaseException:
        for hidden, path in retired:
            with suppress(FileNotFoundError):
                os.rename(hidden, path)
        raise
    return [hidden for hidden, _ in retired]


def delete(retired: Sequence[str]) -> None:
    """Deletes what `retire` returned; the next backup removes what stays."""
    for path in retired:
        with suppress(OSError):
            os.unlink(path)
