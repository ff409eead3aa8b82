"""Which backups stay (ticket 060-OPS-01: "Keep last 32 backups, automatic cleanup")."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import suppress

from reedbase_backup.catalogue import BackupName, backups_folder
from reedbase_backup.disk.existence import name_exists

KEEP = 32
"""How many backups remain after a backup (ticket 060-OPS-01, "Architecture", step 6)."""

RETIRED_PREFIX = ".reedbackup-retired-"
"""Backups in backups/ that are to be deleted, or brought back by the next backup."""

_RETIRED_NAME = re.compile(re.escape(RETIRED_PREFIX) + r"[0-9a-f]{16}-(.+)", re.ASCII)


def surplus(backups: Sequence[BackupName], just_made: BackupName) -> list[BackupName]:
    """Return the backups to delete: all but the KEEP newest, and never `just_made`.

    `just_made` is not the newest where the clock went back.
    """
    others = sorted((name for name in backups if name != just_made), reverse=True)
    return others[KEEP - 1 :]


def retire(base_path: str, names: Sequence[BackupName]) -> list[str]:
    """Hide the backups `names`, so that they are backups no more.

    Renaming can be taken back and deleting cannot, so this renames. Return the
    new paths, for `delete`; until then, and after an error, `bring_back` undoes
    it, in this call or the next. Raise OSError.
    """
    folder = backups_folder(base_path)
    hidden = f"{RETIRED_PREFIX}{os.urandom(8).hex()}-"
    for name in names:
        os.rename(
            os.path.join(folder, name.file_name), os.path.join(folder, hidden + name.file_name)
        )
    return [os.path.join(folder, hidden + name.file_name) for name in names]


def delete(retired: Sequence[str]) -> None:
    """Delete what `retire` returned; what stays, the next backup brings back and retires again."""
    for path in retired:
        with suppress(OSError):
            os.unlink(path)


def bring_back(base_path: str) -> None:
    """Make the backups that an unfinished call hid backups again.

    They are deleted only by one that succeeds. Raise OSError.
    """
    folder = backups_folder(base_path)
    for hidden in _retired(folder):
        match = _RETIRED_NAME.fullmatch(hidden)
        if match is not None and BackupName.parse(match[1]) is not None:
            _rename_back(os.path.join(folder, hidden), os.path.join(folder, match[1]))


def _retired(folder: str) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return [
                entry.name
                for entry in entries
                if entry.name.startswith(RETIRED_PREFIX) and entry.is_file(follow_symlinks=False)
            ]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _rename_back(hidden: str, path: str) -> None:
    if name_exists(path):
        # Not over another backup; over a second name of the same one, it is done.
        if os.path.samestat(os.lstat(path), os.lstat(hidden)):
            os.unlink(hidden)
        return
    try:
        os.rename(hidden, path)
    except OSError:
        os.link(hidden, path, follow_symlinks=False)
        with suppress(OSError):
            os.unlink(hidden)
