"""The sentences about far ends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reedbase_backup.cli.quantities import counted, date, duration, size
from reedbase_backup.remote.errors import RemoteError

if TYPE_CHECKING:
    from reedbase_backup.catalogue import BackupName
    from reedbase_backup.remote.copying import Copied
    from reedbase_backup.remote.urls import Place

COPY_INTERRUPTED = "interrupted; what was copied is whole, and the next copy goes on from here"


def fetch_interrupted(base: str) -> str:
    """Say what Ctrl-C has left of a fetch."""
    return f"interrupted; nothing was restored, and {base} is as it was"


def would_copy(names: Sequence[BackupName], place: Place, total_bytes: int) -> str:
    """Say what a copy would send."""
    if not names:
        return f"Would copy nothing to {place}: all backups are there"
    return f"Would copy {counted(len(names), 'backup')}, {size(total_bytes)}, to {place}"


def copied_lines(backups: Sequence[Copied], place: Place, seconds: float) -> Iterator[str]:
    """Say what became of each backup that was sent or has failed, and of all."""
    for backup in backups:
        if backup.error is not None:
            yield f"FAILED {backup.id}: {backup.error}"
            if isinstance(backup.error, RemoteError):
                yield f"  {backup.error.advice}"
    sent = [backup for backup in backups if backup.state == "copied"]
    there = sum(backup.state == "there" for backup in backups)
    yield (
        f"Copied {counted(len(sent), 'backup')}, {size(sum(one.size_bytes for one in sent))},"
        f" to {place} in {duration(seconds)}; {there} already there;"
        " each was read back and compared"
    )


def drops(name: BackupName, place: Place, keep: int, *, is_dry_run: bool) -> str:
    """Say which backup goes at the far end."""
    verb = "Would drop" if is_dry_run else "Drops"
    return f"{verb} backup {name.id} of {date(name.timestamp)} at {place} (--keep {keep})"


def drops_nothing(keep: int) -> str:
    """Say that nothing goes, as something has failed."""
    return f"Nothing was dropped there (--keep {keep}), as not all backups are there as here"


def would_restore(name: BackupName, place: Place, size_bytes: int, into: str) -> str:
    """Say what a restore would fetch."""
    return (
        f"Would fetch backup {name.id} of {date(name.timestamp)}, {size(size_bytes)},"
        f" from {place}, and restore it into {into}"
    )


def no_far_backups(place: str) -> str:
    """Say that a far end has no backup."""
    return f"No backups at {place}"
