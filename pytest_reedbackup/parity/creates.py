"""create_backup: what it archives and says, and what the model says of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from pytest_reedbackup.archives import read_folder, read_members
from pytest_reedbackup.bases import backups_listing, source_tree
from pytest_reedbackup.creates import is_tar_failure
from pytest_reedbackup.databases.tree import Tree
from pytest_reedbackup.failures import BrokenPromise
from pytest_reedbackup.parity.facts import AS_BEFORE, ELSEWHERE, OUTCOME, Facts, Side, elsewhere
from pytest_reedbackup.parity.facts import refused as refused_line
from pytest_reedbackup.recordings import BASE_MARK, Observer, outcome_of

MENDABLE = ("D1", "D3")
"""The defects that a create shows every time (contract `last`, "Defects seen")."""

INFO = "the BackupInfo"
MEMBERS = "the archive's members"
OWN_BACKUPS = "backups/ in the archive"
AS_THE_BASE = ("as the base is",)
_MIB = 1048576
# With 7 failures in 12 (D1), that many in a row are met once in 10^9 times.
_ATTEMPTS = 40
_NAME = re.compile(r"[1-9][0-9]*\.tar\.gz", re.ASCII)


def observed(side: Side) -> Facts:
    """The call is made; what came of it.

    Where tar failed, which it does at random while the archive is in what it
    reads (D1), it is made again, unless the side declares to do the safe thing.
    """
    observer, source = Observer(side.base), source_tree(side.base)
    kept = backups_listing(side.base)
    answer = side.subject.create_backup(side.base)
    for _ in range(_ATTEMPTS):
        if "D1" in side.mended or not is_tar_failure(answer):
            break
        _remove(side.base, set(backups_listing(side.base)) - set(kept))
        answer = side.subject.create_backup(side.base)
    new = sorted(set(backups_listing(side.base)) - set(kept))
    own = {"backups", *(f"backups/{name}" for name in new)}
    touched = elsewhere(sorted(observer.changed() - own))
    outcome = outcome_of(answer, side.base)
    if "err" in outcome:
        return {OUTCOME: refused_line(outcome), ELSEWHERE: touched}
    archived = _archived(side.base, outcome["ok"], new, source)
    return {OUTCOME: ("a BackupInfo",), **archived, ELSEWHERE: touched}


def predicted(side: Side, mended: Collection[str]) -> Facts:
    """What the model says of the call, read from the side's files before it."""
    earlier = backups_listing(side.base)
    return {
        OUTCOME: ("a BackupInfo",),
        INFO: ("as the archive is",),
        MEMBERS: AS_THE_BASE,
        OWN_BACKUPS: _own_backups(
            folder="D1" not in mended, names=[] if "D3" in mended else earlier
        ),
        ELSEWHERE: AS_BEFORE,
    }


def _remove(base: Path, names: Collection[str]) -> None:
    for name in names:
        (base / "backups" / name).unlink()


def _archived(base: Path, info: Mapping[str, Any], new: list[str], source: Tree) -> Facts:
    """What is new in backups/, and what the info says of it."""
    if len(new) != 1 or not _NAME.fullmatch(new[0]):
        return {INFO: (f"new in backups/ is {new}",)}
    archive = base / "backups" / new[0]
    second, size = int(new[0].partition(".")[0]), archive.stat().st_size
    path = f"{BASE_MARK}/backups/{new[0]}"
    expected = {"timestamp": second, "path": path, "size_bytes": size, "size_mb": size / _MIB}
    said = ("as the archive is",) if info == expected else (f"{info}, but it is {expected}",)
    try:
        tops = {member.name.partition("/")[0] for member in read_members(archive)}
        held = read_folder(archive, base.name).entries
    except BrokenPromise as unreadable:
        return {INFO: said, MEMBERS: (str(unreadable),)}
    earlier = {name.removeprefix("backups/") for name in held if name.startswith("backups/")}
    others = {name: e for name, e in held.items() if name.partition("/")[0] not in ("backups", ".")}
    strange = tuple(f"beside the base: {top}" for top in sorted(tops - {base.name}))
    return {
        INFO: said,
        MEMBERS: (*source.differences(Tree(others)), *strange) or AS_THE_BASE,
        OWN_BACKUPS: _own_backups("backups" in held, sorted(earlier - set(new))),
    }


def _own_backups(folder: bool, names: Collection[str]) -> tuple[str, ...]:
    return ("the folder" if folder else "no folder", *names)
