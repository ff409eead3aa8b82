"""The database on which sweeps of contract `last` make their calls."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect_that
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.databases.archives import pack
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.implementations.answers import Answered
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import tables_of
from pytest_reedbackup.views.users import SYSTEM, read_users

USERS = "registry/users.dict"

_SPEC = DatabaseSpec(tables=2, rows=20, versions=3, indices=1)
_EARLIER = (1_600_000_000, 1_600_000_100)
_NOW = 1_700_000_000


@dataclass(frozen=True)
class Scene:
    """A database before the call, to whose users the first restore adds `system`."""

    base: Path
    before: Snapshot
    target: int
    """The version that is restored, in Unix nanoseconds: the first of each table."""
    history: Mapping[str, Sequence[bytes]]
    """By table, the content of each version, oldest first."""
    replaces_files: bool
    """Whether a restore gives current.csv a new file, rather than overwrite it in place.

    Who does, does the safe thing in the place of defect D13, and is held to that.
    """
    now: int = _NOW
    """The time of a create in Unix seconds, where it can be set."""


def last_scene(implementation: LastImplementation, base: Path) -> Scene:
    """Build a database with two earlier backups in the new folder `base`."""
    build(_SPEC, base)
    users = base / USERS
    users.write_bytes(users.read_bytes().replace(b"|system|", b"|somebody|"))
    assert SYSTEM not in {name for _, name in read_users(users.read_bytes()).names}
    for second in _EARLIER:
        pack(base, base / "backups" / f"{second}.tar.gz")
    tables = tables_of(base)
    newest = {name: table.versions()[-1].timestamp for name, table in tables.items()}
    return Scene(
        base,
        Snapshot.read(base),
        target=max(table.versions()[0].timestamp for table in tables.values()),
        history={name: list(table.contents(newest[name])) for name, table in tables.items()},
        replaces_files=_replaces_files(implementation, base),
    )


def _replaces_files(implementation: LastImplementation, base: Path) -> bool:
    """Try a restore of a copy; one that is refused is for the cases to judge."""
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        copy = Path(folder) / base.name
        clone_tree(base, copy)
        (table, *_) = tables_of(copy).values()
        before = table.current.stat().st_ino
        target = table.versions()[0].timestamp
        answer = implementation.restore_point_in_time(copy, target)
        return isinstance(answer, Answered) and table.current.stat().st_ino != before


def expect_earlier_kept(base: Path, scene: Scene) -> None:
    """Raise BrokenPromise unless each earlier version, backup and other file is there as it was.

    Lines may have come to the logs and to users.dict; current.csv is for others to judge.
    """
    found = Snapshot.read(base)
    for path, content in scene.before.files.items():
        if path.endswith("/current.csv"):
            continue
        now = found.files.get(path)
        may_grow = path.endswith("/version.log") or path == USERS
        is_kept = now is not None and (now.startswith(content) if may_grow else now == content)
        expect_that(
            is_kept,
            path,
            expected=f"{'at first ' if may_grow else ''}the {len(content)} bytes that it had",
            found=now,
        )
