"""create_backup: what it archives and says, and what the model says of it."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_reedbackup.databases.archives import read_folder, read_members
from pytest_reedbackup.generate.last.sandbox import BASE
from pytest_reedbackup.generate.last.scenarios import Create
from pytest_reedbackup.implementations.json_outcomes import BASE_MARK, outcome_of
from pytest_reedbackup.implementations.tar_failures import past_tar_failures
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.parity.facts import (
    AS_BEFORE,
    OUTCOME,
    UNTOUCHED,
    Expected,
    Facts,
    Side,
    refused,
)
from pytest_reedbackup.parity.surroundings import surroundings
from pytest_reedbackup.views.base import backups_listing, source_tree
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import FILE_EXISTS, NO_SUCH_FILE
from pytest_reedbackup.views.tree import Tree, printable

MENDABLE = ("D1", "D3", "D4")
"""The defects that a create shows every time (contract `last`, "Defects seen")."""

INFO = "the BackupInfo"
MEMBERS = "the archive's members"
OWN_BACKUPS = "backups/ in the archive"
KEPT = "earlier backups"
AS_THE_BASE = ("as the base is",)
_MIB = 1048576
_NAME = re.compile(r"(0|[1-9][0-9]*)\.tar\.gz", re.ASCII)


def observed(side: Side, call: Create, number: int) -> Facts:
    """The call is made; what came of it.

    Where tar failed, which it does at random while the archive is in what it
    reads (D1), it is made again, unless the side declares to do the safe thing.
    """
    before, source = Snapshot.read(side.base.parent), source_tree(side.base)
    if "D1" in side.mended:
        answer = side.implementation.create_backup(side.base)
    else:
        answer = past_tar_failures(
            lambda: side.implementation.create_backup(side.base), lambda: _back_to(before)
        )
    after = Snapshot.read(side.base.parent)
    backups = _backups(before, after)
    own = {path for path in before.changed(after) if path.startswith(f"{backups}/")}
    made = sorted(own & after.files.keys())
    if before.entries.get(backups) is None and after.entries.get(backups) is not None:
        own.add(backups)
    outcome = outcome_of(answer, side.base)
    if "err" in outcome:
        return {OUTCOME: refused(outcome), **surroundings(before, after)}
    return {
        OUTCOME: ("a BackupInfo",),
        **_archived(side, outcome["ok"], made, source, number, before, after),
        **surroundings(before, after, own),
    }


def expected(side: Side, call: Create, mended: Collection[str]) -> Iterator[Expected]:
    """What may come of the call, read from the side's files before it."""
    backups = side.base / "backups"
    is_link = backups.is_symlink()
    if os.path.lexists(backups) and not backups.is_dir():
        reason = NO_SUCH_FILE if is_link and not backups.exists() else FILE_EXISTS
        error = {"kind": "IoError", "operation": "create_backup_dir", "reason": reason}
        yield Expected({OUTCOME: refused({"err": error}), **UNTOUCHED})
        return
    # tar does not follow a symlink.
    earlier = [] if is_link or "D3" in mended else backups_listing(side.base)
    name = f"{side.now[-1]}.tar.gz" if side.now else ""
    overwrites = name in side.archives and "D4" not in mended
    lines = {
        OUTCOME: ("a BackupInfo",),
        INFO: ("as the archive is",),
        MEMBERS: AS_THE_BASE,
        OWN_BACKUPS: _own_backups(
            side, "D1" not in mended, set(earlier) - ({name} if overwrites else set())
        ),
        KEPT: _overwritten(side, name) if overwrites else AS_BEFORE,
        **UNTOUCHED,
    }
    yield Expected(lines)


def _back_to(before: Snapshot) -> None:
    """Takes away what a failed create left; one that it overwrote gets its content back."""
    after = Snapshot.read(before.root)
    for path in before.changed(after) & after.files.keys():
        if path in before.files:
            (before.root / path).write_bytes(before.files[path])
        else:
            (before.root / path).unlink()


def _backups(before: Snapshot, after: Snapshot) -> str:
    """Where the backups are, in the terms of a snapshot."""
    return after.resolve(f"{BASE}/backups")


def _archived(
    side: Side,
    info: Mapping[str, Any],
    made: list[str],
    source: Tree,
    number: int,
    before: Snapshot,
    after: Snapshot,
) -> Facts:
    """What is new in backups/, and what the info says of it."""
    reported = f"{after.resolve(side.base / 'backups')}/{Path(info['path']).name}"
    if not made and reported in before.files:
        made = [reported]  # overwritten by the same bytes
    names = [Path(path).name for path in made]
    if len(names) != 1 or not _NAME.fullmatch(names[0]):
        return {INFO: (f"new in backups/ is {names}",)}
    archive = side.base / "backups" / names[0]
    second, size = int(names[0].partition(".")[0]), archive.stat().st_size
    path = f"{BASE_MARK}/backups/{names[0]}"
    wanted = {"timestamp": second, "path": path, "size_bytes": size, "size_mb": size / _MIB}
    said = ("as the archive is",) if info == wanted else (f"{info}, but it is {wanted}",)
    kept = _overwritten(side, names[0]) if made[0] in before.entries else AS_BEFORE
    held = _held(side, archive, source, names[0])
    side.archives[names[0]] = f"the backup of call {number}"
    return {INFO: said, KEPT: kept, **held}


def _overwritten(side: Side, name: str) -> tuple[str, ...]:
    return (f"{side.archives.get(name, printable(name))} is overwritten",)


def _held(side: Side, archive: Path, source: Tree, own: str) -> Facts:
    """What is in the archive."""
    try:
        tops = {member.name.partition("/")[0] for member in read_members(archive)}
        held = read_folder(archive, side.base.name).entries
    except BrokenPromise as unreadable:
        return {MEMBERS: (str(unreadable),)}
    earlier = {name.removeprefix("backups/") for name in held if name.startswith("backups/")}
    others = {
        name: entry
        for name, entry in held.items()
        if (top := name.partition("/")[0]) not in ("backups", ".")
        # A registry that was not there may have been made before (the adapter's duty).
        and (top != "registry" or name in source.entries)
    }
    strange = tuple(f"beside the base: {printable(top)}" for top in sorted(tops - {side.base.name}))
    return {
        MEMBERS: (*source.differences(Tree(others)), *strange) or AS_THE_BASE,
        OWN_BACKUPS: _own_backups(side, "backups" in held, earlier - {own}),
    }


def _own_backups(side: Side, folder: bool, names: Collection[str]) -> tuple[str, ...]:
    told = sorted(side.archives.get(name, printable(name)) for name in names)
    return ("the folder" if folder else "no folder", *told)
