"""The sentences in which `reedbackup` speaks to people, but for those of its --help."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from reedbase_backup.cli.quantities import age, counted, date, duration, size
from reedbase_backup.errors import (
    BackupCorrupted,
    BackupNotFound,
    BackupUnsafe,
    IoError,
    NoTablesFound,
    PermissionDenied,
    ReedError,
)

if TYPE_CHECKING:
    from reedbase_backup.archive.reader import Contents
    from reedbase_backup.catalogue import BackupName
    from reedbase_backup.comparing.preview import Preview
    from reedbase_backup.types import BackupInfo, RestoreReport
    from reedbase_backup.verify import Verification

INTERRUPTED = "interrupted; nothing has changed"


_MOST_NAMES = 10
_GIVE_A_DATABASE = "give the path of a .reed database"


def quoted(text: str) -> str:
    """Return a word of a command line as a shell takes it."""
    from shlex import quote

    return quote(text)


def backup_created(info: BackupInfo, total_bytes: int, seconds: float) -> str:
    """Say which backup there is now, what it holds, and how long it took."""
    return (
        f"Backup {info.id} of {date(info.timestamp)}: {counted(info.table_count, 'table')},"
        f" {packed(total_bytes, info.size_bytes)}, in {duration(seconds)}"
    )


def create_interrupted(*, is_made: bool) -> str:
    """Say what Ctrl-C has left of a create."""
    if is_made:
        return "interrupted; the new backup is made, and whole"
    return "interrupted; no backup was made, and the database is as it was"


def target_interrupted(target: str, *, is_done: bool) -> str:
    """Say what Ctrl-C has left of a restore into a folder of its own."""
    if is_done:
        return f"interrupted; {target} is restored, and whole"
    return f"interrupted; {target} is not there, and the database is as it was"


def restore_interrupted(*, is_done: bool, is_cut_off: bool) -> str:
    """Say what Ctrl-C has left of a restore."""
    if is_done:
        return "interrupted; the restore is done, and the database is as it was backed up"
    if is_cut_off:
        return "interrupted midway; the next create or restore completes the restore, or undoes it"
    return "interrupted; nothing was restored, and the database is as it was"


def backup_restored(
    name: BackupName, report: RestoreReport, archive_bytes: int, into: str = ""
) -> str:
    """Say which backup was restored."""
    return (
        f"Restored backup {name.id} of {date(name.timestamp)}{f' into {into}' if into else ''}:"
        f" {counted(report.tables_restored, 'table')},"
        f" {packed(report.total_bytes, archive_bytes)}, in {duration(report.duration_ms / 1000)}"
    )


def can_be_undone(base: str) -> str:
    """Say what to type to have back what a restore has replaced."""
    return f"reedbackup restore {quoted(base)} --undo brings back what was there before, once."


def how_to_keep(base: str) -> str:
    """Say what to type to have a restore keep what it replaces."""
    return f"reedbackup restore {quoted(base)} --to WHEN --undoable keeps what it replaces"


def restore_undone(report: RestoreReport, replaced_at: int) -> str:
    """Say what was brought back."""
    return (
        f"Brought back what the restore of {date(replaced_at)} replaced:"
        f" {counted(report.tables_restored, 'table')}, {size(report.total_bytes)},"
        f" in {duration(report.duration_ms / 1000)}"
    )


def undo_interrupted(*, is_done: bool, is_cut_off: bool) -> str:
    """Say what Ctrl-C has left of an undo."""
    if is_cut_off:
        return "interrupted midway; the next create or restore completes the undo, or takes it back"
    if is_done:
        return "interrupted; what was replaced is back, whole"
    return "interrupted; nothing was undone, and the database is as it was"


def undo_loss_lines(lost: Sequence[str], base: str, replaced_at: int, now: int) -> Iterator[str]:
    """Say what an undo would bring back, and what it would lose that no backup holds."""
    yield f"This brings back what the restore of {age(replaced_at, now)} replaced."
    yield f"No backup holds {counted(len(lost), 'file')} as now in {base}; this would be lost:"
    yield from _first_names(lost)


def backup_shown(name: BackupName, contents: Contents, archive_bytes: int, now: int) -> str:
    """Say what a backup holds in all."""
    return (
        f"Backup {name.id} of {date(name.timestamp)}, {age(name.timestamp, now)}:"
        f" {counted(contents.table_count, 'table')}, {packed(contents.total_bytes, archive_bytes)}"
    )


def packed(total_bytes: int, archive_bytes: int) -> str:
    """Say how many bytes an archive holds in how many, as in `9.0 MiB in 3.0 MiB (33 %)`."""
    ratio = f" ({archive_bytes * 100 / total_bytes:.0f} %)" if total_bytes else ""
    return f"{size(total_bytes)} in {size(archive_bytes)}{ratio}"


def preview_lines(preview: Preview) -> Iterator[str]:
    """Say what a restore would take and change: totals, and the first names of each kind."""
    yield (
        f"Would restore backup {preview.id} of {date(preview.timestamp)}:"
        f" {counted(preview.table_count, 'table')}, {size(preview.total_bytes)}"
    )
    if preview.is_empty:
        yield "Nothing would change."
    for words, names in (
        ("would come back", preview.added),
        ("would change", preview.changed),
        ("would change in mode only", preview.mode_changed),
        ("would go", preview.removed),
    ):
        if names:
            yield f"{len(names)} {words}:"
            yield from _first_names(names)


def loss_lines(preview: Preview, lost: Sequence[str], base: str, now: int) -> Iterator[str]:
    """Say which backup a restore would take, and what no backup holds that it would lose."""
    yield f"This restores backup {preview.id} of {age(preview.timestamp, now)}."
    yield f"No backup holds {counted(len(lost), 'file')} as now in {base}; this would be lost:"
    yield from _first_names(lost)


def _first_names(names: Sequence[str]) -> Iterator[str]:
    yield from (f"  {name}" for name in names[:_MOST_NAMES])
    if len(names) > _MOST_NAMES:
        yield f"  and {len(names) - _MOST_NAMES} more"


def verdict(verification: Verification) -> str:
    """Say whether a backup is sound, and what is wrong with it."""
    match verification.damage:
        case None:
            pass
        case BackupCorrupted() as damage:
            return f"DAMAGED: {damage}"
        case BackupUnsafe() as damage:
            return f"REFUSED: {damage}"
        case damage:
            return f"UNREADABLE: {damage}"
    check = (
        "every SHA-256 right" if verification.has_manifest else "gzip checksum right, no manifest"
    )
    return f"sound: {counted(verification.table_count or 0, 'table')}, {check}"


def live_lines(verifications: Sequence[Verification]) -> Iterator[str]:
    """Say what came of holding what is live against a backup, with the name of each file."""
    held = [(one.id, one.live) for one in verifications if one.live is not None]
    if not held:
        yield "No sound backup to hold the live files against."
    for backup_id, live in held:
        alike = f"{counted(live.files, 'live file')} with the size and time of backup {backup_id}"
        if not live.differing:
            yield f"{alike}: each has its content, too."
            continue
        yield f"{alike}, and {len(live.differing)} with another content:"
        yield from (f"  {name}" for name in live.differing)
        yield (
            "Either their times were put back, or something wrote past them: restore them, or back"
            " them up as they are with REEDBACKUP_REUSE=0."
        )


def no_backups(base: str) -> str:
    """Say that the database at `base` has no backup."""
    return f"No backups in {base}"


def see_list(base: str) -> str:
    """Say how to see which backups there are."""
    return f"reedbackup list {quoted(base)} shows all"


def explanation(error: ReedError, base: str) -> tuple[str, str]:
    """Say what went wrong with the database at `base`, and what to do, if that is known."""
    match error:
        case NoTablesFound():
            return f"{base} has no tables/ folder", _GIVE_A_DATABASE
        case IoError(operation="open_base") if not os.path.isdir(base):
            return f"{base} is not a folder", _GIVE_A_DATABASE
        case IoError(operation="restore_target"):
            return error.reason, "give --target a folder that is not there yet"
        case BackupNotFound(oldest=None) if os.path.isdir(base):
            return f"{base} has no backups", f"reedbackup create {quoted(base)} makes one"
        case BackupNotFound(oldest=None):
            return f"{base} is not a folder", _GIVE_A_DATABASE
        case BackupNotFound(target=target, oldest=int(oldest)):
            return (
                f"{base} has no backup up to {date(target)}: the oldest is of {date(oldest)}",
                see_list(base),
            )
        case BackupCorrupted():
            return str(error), f"reedbackup verify {quoted(base)} shows which backups are sound"
        case BackupUnsafe():
            advice = "tables/ and indices/ may hold regular files and folders only"
            return str(error), advice
        case PermissionDenied():
            return str(error), "call it as the database's owner, or as root"
        case _:
            return str(error), f"reedbackup doctor {quoted(base)} shows what is in the way"
