"""create_backup: what it archives and reports, and what contract `last` allows."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_reedbackup.databases.archives import read_folder, read_members
from pytest_reedbackup.generate.last.scenarios import Create
from pytest_reedbackup.generate.last.temporary_bases import BASE
from pytest_reedbackup.implementations.json_outcomes import outcome_of
from pytest_reedbackup.implementations.tar_failures import past_tar_failures
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.parity.changes import other_changes
from pytest_reedbackup.parity.lists import backup_info
from pytest_reedbackup.parity.observations import (
    AS_BEFORE,
    OUTCOME,
    UNTOUCHED,
    ExpectedObservation,
    Observation,
    error_lines,
)
from pytest_reedbackup.parity.sides import SideRun
from pytest_reedbackup.views.base import backups_listing, source_tree
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import FILE_EXISTS, NO_SUCH_FILE
from pytest_reedbackup.views.tree import Tree, printable

MENDABLE = ("D1", "D3", "D4")
"""The defects, by id, that a create shows every time (contract `last`, "Defects seen")."""

INFO = "the BackupInfo"
MEMBERS = "the archive's members"
OWN_BACKUPS = "backups/ in the archive"
KEPT = "earlier backups"
AS_THE_BASE = ("as the base is",)
_NAME = re.compile(r"(0|[1-9][0-9]*)\.tar\.gz", re.ASCII)


def observe_create(run: SideRun, call: Create, number: int) -> Observation:
    """Make call `number` on one side, and return what came of it.

    The call is made again where tar failed: it does so at random while it reads
    the archive that it writes (D1). A side that declares D1 has one try.
    """
    before, source = Snapshot.read(run.base.parent), source_tree(run.base)
    if "D1" in run.mended:
        answer = run.implementation.create_backup(run.base)
    else:
        answer = past_tar_failures(
            lambda: run.implementation.create_backup(run.base), lambda: _back_to(before)
        )
    after = Snapshot.read(run.base.parent)
    backups = after.resolve(f"{BASE}/backups")
    own = {path for path in before.changed(after) if path.startswith(f"{backups}/")}
    new = sorted(own & after.files.keys())
    if before.entries.get(backups) is None and after.entries.get(backups) is not None:
        own.add(backups)
    outcome = outcome_of(answer, run.base)
    if "err" in outcome:
        return {OUTCOME: error_lines(outcome), **other_changes(before, after)}
    return {
        OUTCOME: ("a BackupInfo",),
        **_archived(run, outcome["ok"], new, source, number, before, after),
        **other_changes(before, after, own),
    }


def expected_creates(
    run: SideRun, call: Create, mended: Collection[str]
) -> Iterator[ExpectedObservation]:
    """Yield what the contract allows, read from the files before the call."""
    backups = run.base / "backups"
    is_link = backups.is_symlink()
    if os.path.lexists(backups) and not backups.is_dir():
        reason = NO_SUCH_FILE if is_link and not backups.exists() else FILE_EXISTS
        error = {"kind": "IoError", "operation": "create_backup_dir", "reason": reason}
        yield ExpectedObservation({OUTCOME: error_lines({"err": error}), **UNTOUCHED})
        return
    # tar does not follow a symlink.
    earlier = [] if is_link or "D3" in mended else backups_listing(run.base)
    name = f"{run.seconds[-1]}.tar.gz" if run.seconds else ""
    overwrites = name in run.archive_names and "D4" not in mended
    lines = {
        OUTCOME: ("a BackupInfo",),
        INFO: ("as the archive is",),
        MEMBERS: AS_THE_BASE,
        OWN_BACKUPS: _own_backups(
            run, "D1" not in mended, set(earlier) - ({name} if overwrites else set())
        ),
        KEPT: _overwritten(run, name) if overwrites else AS_BEFORE,
        **UNTOUCHED,
    }
    yield ExpectedObservation(lines)


def _back_to(before: Snapshot) -> None:
    """Remove what a failed create left, and give what it overwrote its content back."""
    after = Snapshot.read(before.root)
    for path in before.changed(after) & after.files.keys():
        if path in before.files:
            (before.root / path).write_bytes(before.files[path])
        else:
            (before.root / path).unlink()


def _archived(
    run: SideRun,
    info: Mapping[str, Any],
    new: list[str],
    source: Tree,
    number: int,
    before: Snapshot,
    after: Snapshot,
) -> Observation:
    """Return the lines about what is new in backups/, and about the BackupInfo."""
    reported = f"{after.resolve(run.base / 'backups')}/{Path(info['path']).name}"
    if not new and reported in before.files:
        new = [reported]  # overwritten by the same bytes
    names = [Path(path).name for path in new]
    if len(names) != 1 or not _NAME.fullmatch(names[0]):
        return {INFO: (f"new in backups/ is {names}",)}
    archive = run.base / "backups" / names[0]
    wanted = backup_info(archive)
    report = ("as the archive is",) if info == wanted else (f"{info}, but it is {wanted}",)
    kept = _overwritten(run, names[0]) if new[0] in before.entries else AS_BEFORE
    content = _content(run, archive, source, names[0])
    run.archive_names[names[0]] = f"the backup of call {number}"
    return {INFO: report, KEPT: kept, **content}


def _overwritten(run: SideRun, name: str) -> tuple[str, ...]:
    return (f"{run.archive_names.get(name, printable(name))} is overwritten",)


def _content(run: SideRun, archive: Path, source: Tree, own: str) -> Observation:
    """Return the lines about what is in the archive."""
    try:
        tops = {member.name.partition("/")[0] for member in read_members(archive)}
        entries = read_folder(archive, run.base.name).entries
    except BrokenPromise as unreadable:
        return {MEMBERS: (str(unreadable),)}
    earlier = {name.removeprefix("backups/") for name in entries if name.startswith("backups/")}
    others = {
        name: entry
        for name, entry in entries.items()
        if (top := name.partition("/")[0]) not in ("backups", ".")
        # A registry that was not there may have been made before (the adapter's duty).
        and (top != "registry" or name in source.entries)
    }
    strange = tuple(f"beside the base: {printable(top)}" for top in sorted(tops - {run.base.name}))
    return {
        MEMBERS: (*source.differences(Tree(others)), *strange) or AS_THE_BASE,
        OWN_BACKUPS: _own_backups(run, "backups" in entries, earlier - {own}),
    }


def _own_backups(run: SideRun, folder: bool, names: Collection[str]) -> tuple[str, ...]:
    backups = sorted(run.archive_names.get(name, printable(name)) for name in names)
    return ("the folder" if folder else "no folder", *backups)
