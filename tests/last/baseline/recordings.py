"""Recordings: a database, damage to it, and what an implementation then did.

A recording is `NAME.json` beside the `.tar.gz` that it names. Cases are loaded,
prepared on a copy of the database, and what an implementation did is brought
into the recorded shape, so that the two can be compared with `==`.
(Source: golden/README.md, "Recordings of the real baseline".)
"""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec
import msgspec.structs
from last.baseline.recorded_steps import Step
from msgspec import UNSET, UnsetType

from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import added_version


class UnknownChange(ValueError):
    """A file changed in a way that recordings have no place for."""


class Appended(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The line that a restore added to a version.log."""

    action: int
    user: int
    joined_to_last_line: bool


class Effects(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore answered, and what it did to the database."""

    outcome: dict[str, Any]
    """{"ok": report} or {"err": {"kind", fields …}}; lists sorted by table."""
    current_sha256: dict[str, str]
    """The new SHA-256 of each current.csv that changed or appeared, by path."""
    appended: dict[str, Appended]
    """By table."""
    left_behind: list[str]
    """Paths of .tmp files."""
    deltas_without_log_line: int | UnsetType = UNSET
    """How many new .bsdiff files no log line names (D15); unset where that was not recorded."""
    users_added: list[str] | UnsetType | None = UNSET
    """The lines added to users.dict without their time; unset where they were not recorded."""


class RestoreCase(Effects, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A recorded restore_point_in_time."""

    id: str
    target_timestamp: int
    mutate: list[Step]

    def deviations(self, found: Effects) -> set[str]:
        """The names of the recorded parts in which `found` is another."""
        return {
            part
            for part in Effects.__struct_fields__
            if getattr(self, part) not in (UNSET, getattr(found, part))
        }

    def prepare(self, database: Path, base: Path) -> None:
        """Make `base` the copy of `database` that the call gets."""
        clone_tree(database, base)
        for step in self.mutate:
            step.apply(base)

    @contextmanager
    def locks_held(self, base: Path) -> Iterator[None]:
        """Hold the locks that the case wants taken during the call, as another process would."""
        with ExitStack() as held:
            for step in self.mutate:
                if step.op == "lock":
                    held.enter_context(step.lock_held(base))
            yield


class ListCase(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A recorded list_backups; of files only the sizes are known."""

    id: str
    files: list[tuple[str, int | str | None]] | None
    outcome: dict[str, Any]

    def prepare(self, base: Path) -> None:
        """Make `base` with the recorded names in backups/."""
        base.mkdir()
        if self.files is None:
            return
        backups = base / "backups"
        backups.mkdir()
        for name, what in self.files:
            if name.endswith("/"):
                (backups / name).mkdir()
            elif name.endswith("@"):
                (backups / name[:-1]).symlink_to(str(what))
            else:
                (backups / name).write_bytes(b"x" * int(what or 0))


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All cases on one database."""

    database: str
    cases: list[RestoreCase]
    versions_newest_first: dict[str, list[tuple[int, str, str, int, str | None]]] = {}
    """Per table; recordings of a database that another one has too leave them out."""
    list_cases: list[ListCase] = []


def load(path: Path) -> Recording:
    """Read a recording. Raises OSError, or msgspec.DecodeError that says what does not fit."""
    return msgspec.json.decode(path.read_bytes(), type=Recording)


def unpack(recording: Recording, beside: Path, folder: Path) -> Path:
    """Unpack the recording's database, which is in `beside`, to `folder`; gives its base."""
    archive = beside / recording.database
    subprocess.run(["tar", "-xzf", str(archive), "-C", str(folder)], check=True)
    (base,) = folder.iterdir()
    return base


def effects_since(before: Snapshot, outcome: dict[str, Any]) -> Effects:
    """Return what has changed since a snapshot of the base, in the recorded shape.

    Raises UnknownChange.
    """
    after = Snapshot.read(before.root)
    logs, logs_before = _in_tables(after, "version.log"), _in_tables(before, "version.log")
    currents_before = _in_tables(before, "current.csv")
    return Effects(
        outcome=outcome,
        current_sha256={
            f"tables/{table}/current.csv": hashlib.sha256(content).hexdigest()
            for table, content in _in_tables(after, "current.csv").items()
            if content != currents_before.get(table)
        },
        appended={
            table: _appended(table, logs_before.get(table, b""), log)
            for table, log in logs.items()
            if log != logs_before.get(table, b"")
        },
        left_behind=sorted(path for path in after.entries if path.endswith(".tmp")),
        deltas_without_log_line=sum(
            path.endswith(".bsdiff") and not _is_in_a_log(path, logs)
            for path in after.entries.keys() - before.entries.keys()
        ),
        users_added=_added_users(
            *(each.content("registry/users.dict") or b"" for each in (before, after))
        ),
    )


def _in_tables(snapshot: Snapshot, name: str) -> dict[str, bytes]:
    """The content of the files of this name, or of those that they lead to, by table."""
    folders = (
        path.removeprefix("tables/")
        for path, entry in sorted(snapshot.entries.items())
        if re.fullmatch("tables/[^/]+", path) and entry.kind == "folder"
    )
    contents = {table: snapshot.content(f"tables/{table}/{name}") for table in folders}
    return {table: content for table, content in contents.items() if content is not None}


def _is_in_a_log(delta: str, logs: Mapping[str, bytes]) -> bool:
    """Whether the table's log has the timestamp; in a line that was glued to another, too."""
    path = PurePosixPath(delta)
    return b"%b|" % os.fsencode(path.stem) in logs.get(path.parent.name, b"")


def _added_users(before: bytes, after: bytes) -> list[str] | None:
    """The lines that users.dict got, without their last field, which is a time.

    Raises UnknownChange if it changed in another way.
    """
    if not after.startswith(before):
        raise UnknownChange("registry/users.dict has changed otherwise than at its end")
    added = after[len(before) :].decode("utf-8", "replace").removeprefix("\n").splitlines()
    return [line.rpartition("|")[0] for line in added] or None


def _appended(table: str, before: bytes, after: bytes) -> Appended:
    """The added line. Raises UnknownChange if the log changed in another way."""
    added = added_version(before, after)
    if added is None:
        raise UnknownChange(f"tables/{table}/version.log has changed otherwise than by one line")
    joined = bool(before) and not before.endswith(b"\n") and not added.separator
    return Appended(added.version.action, added.version.user, joined)
