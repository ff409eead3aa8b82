"""The backups: which can be read, by whom, and how old they are."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from reedbase_backup import catalogue
from reedbase_backup.archive.admission import ROOTS
from reedbase_backup.catalogue import BackupName
from reedbase_backup.disk.durable import PARTIAL_PREFIX
from reedbase_backup.doctor.base import names_in
from reedbase_backup.doctor.finding import Finding, at, command
from reedbase_backup.errors import ReedError
from reedbase_backup.list import read_info
from reedbase_backup.retention import RETIRED_PREFIX

_OTHERS = (("others", stat.S_IROTH, stat.S_IXOTH), ("its group", stat.S_IRGRP, stat.S_IXGRP))


def unreadable(base: str, names: list[BackupName]) -> Iterator[Finding]:
    """Find files under an archive's name that can be no backups."""
    for name in names:
        try:
            if read_info(base, name) is not None:
                continue
            why = "it is no complete backup"
        except (ReedError, OSError) as error:
            why = f"it cannot be read: {error}"
        yield Finding(
            "archive-unreadable",
            True,
            f"backups/{name.file_name}",
            why,
            "a restore that comes to it fails, and changes nothing; create never deletes it",
            command("reedbackup", "verify", base, name.id),
        )


def exposed(base: str, names: list[BackupName]) -> Iterator[Finding]:
    """Find archives that tell others what the database does not let them read."""
    folder = catalogue.backups_folder(base)
    who = [
        words
        for words, reads, passes in _OTHERS
        if _shown(folder, names, reads, passes) and not _may_read_all(base, reads, passes)
    ]
    if who:
        yield Finding(
            "archive-exposed",
            True,
            "backups",
            f"{' and '.join(who)} may read archives in it, and not all of the database",
            "it stays so: no call changes the mode of an archive that is there",
            f"chmod go= {command(folder)}",
        )


def _shown(folder: str, names: list[BackupName], reads: int, passes: int) -> bool:
    try:
        if not os.stat(folder).st_mode & passes:
            return False
        return any(os.lstat(at(folder, name.file_name)).st_mode & reads for name in names)
    except FileNotFoundError:
        return False


def clock(base: str, names: list[BackupName], now: int) -> Iterator[Finding]:
    """Find backups that are of a time that has not come yet, and none at all."""
    if not names:
        yield Finding(
            "no-backup",
            True,
            "backups",
            "there is no backup",
            "nothing can be restored",
            command("reedbackup", "create", base),
        )
    elif names[0].timestamp > now:
        yield Finding(
            "clock-behind",
            True,
            f"backups/{names[0].file_name}",
            f"it is of {names[0].timestamp - now} s after what the clock says now",
            "it stays the newest: restore --to latest takes it, whatever is backed up until then",
            "date, and set the clock if it is wrong",
        )


def leftovers(base: str) -> Iterator[Finding]:
    """Find what backups that were cut off have left; one at work has the same."""
    for name in names_in(catalogue.backups_folder(base)):
        is_partial = name.startswith(PARTIAL_PREFIX)
        if is_partial or name.startswith(RETIRED_PREFIX):
            yield Finding(
                "create-leftover" if is_partial else "create-cut-off",
                False,
                f"backups/{name}",
                "a backup was cut off" if is_partial else "a backup was cut off as it pruned this",
                f"the next create {'removes it' if is_partial else 'brings it back, or prunes it'}",
                command("reedbackup", "create", base),
            )


def _may_read_all(base: str, reads: int, passes: int) -> bool:
    for root in ROOTS:
        for folder, _, files in os.walk(at(base, root)):
            if os.lstat(folder).st_mode & (reads | passes) != reads | passes:
                return False
            if not all(os.lstat(at(folder, name)).st_mode & reads for name in files):
                return False
    return True
