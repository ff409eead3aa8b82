"""The recordings of the real baseline, and where the port is declared to do otherwise."""

from __future__ import annotations

import base64
import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import pytest
from last.baseline.recordings import RestoreCase, load

from pytest_reedbackup.views.users import SYSTEM, read_users, readable_users

PROJECT = Path(__file__).resolve().parents[3]
SHARED = Path(os.environ.get("REEDBACKUP_SHARED", PROJECT.parent / "shared"))
GOLDEN = SHARED / "golden"

RECORDINGS = {path.stem: load(path) for path in sorted(GOLDEN.glob("*.json"))}

needs_recordings = pytest.mark.skipif(
    not RECORDINGS, reason=f"no recordings of the baseline in {GOLDEN} (set REEDBACKUP_SHARED)"
)


@dataclass(frozen=True)
class Declared:
    """Parts of a recorded restore that the port does otherwise, and by which defect.

    Read off the recording, so that it holds for recordings not seen yet.
    """

    must: Mapping[str, str]
    may: Mapping[str, str]


def declared(case: RestoreCase) -> Declared:
    must: dict[str, str] = {}
    may: dict[str, str] = {}
    if case.left_behind:
        must["left_behind"] = "D10"
    if any(line.joined_to_last_line for line in case.appended.values()):
        must["appended"] = "D7"
    if any(recoverable(case)):
        must |= dict.fromkeys(("outcome", "current_sha256", "appended"), "D9")
    if case.deltas_without_log_line:
        must["deltas_without_log_line"] = "D15"
        may["current_sha256"] = "D15"
    if case.appended and users_are_damaged(case):
        may |= dict.fromkeys(("appended", "users_added"), "D16")
    if case.appended.keys() & planted(case, (".lock",)):
        must |= dict.fromkeys(("outcome", "appended"), "D17")
        may["current_sha256"] = "D17"
    elif errors_of(case) & planted(case, (".lock", "current.new.tmp", "rollback*.tmp")):
        # Where a symlink leads to what cannot be written, the baseline's error is about that.
        may |= dict.fromkeys(("outcome", "current_sha256", "appended"), "D17")
    return Declared(must, may)


def users_are_damaged(case: RestoreCase) -> bool:
    """Whether the baseline read users.dict in part, or gave away a code that is in use."""
    content = users_dict(case)
    if content is None:
        return False
    used = {code for code, name in readable_users(content, with_first=True).names if name != SYSTEM}
    given = {line.user for line in case.appended.values()}
    return read_users(content).is_damaged or bool(used & given)


def users_dict(case: RestoreCase) -> bytes | None:
    """The users.dict that the case wrote; None where it did not."""
    steps = [s for s in case.mutate if (s.op, s.path) == ("write", "registry/users.dict")]
    return base64.b64decode(steps[-1].b64) if steps else None


def planted(case: RestoreCase, patterns: Collection[str]) -> set[str]:
    """The tables that got a symlink under such a name."""
    links = [PurePosixPath(step.path) for step in case.mutate if step.op == "symlink"]
    return {
        path.parent.name
        for path in links
        if path.parent.parent.name == "tables" and any(path.match(each) for each in patterns)
    }


def errors_of(case: RestoreCase) -> set[str]:
    return {name for name, _ in case.outcome.get("ok", {}).get("errors", [])}


def recoverable(case: RestoreCase) -> Iterator[str]:
    """Tables whose current.csv was taken away, but nothing else, and which the baseline gave up."""
    touched = {(step.op, step.path) for step in case.mutate}
    for name, error in case.outcome.get("ok", {}).get("errors", []):
        mine = {(op, path) for op, path in touched if path.startswith(f"tables/{name}/")}
        if error["kind"] == "TableNotFound" and mine == {("delete", f"tables/{name}/current.csv")}:
            yield name
