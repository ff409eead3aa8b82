"""A database of contract `last`, damaged as may be, and the calls to make on it, as plain data.

A scenario says everything and draws nothing: the same one builds the same
bytes, so its JSON form can be kept, and its digest is a key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from pytest_reedbackup.databases.edits import INIT, UPDATE
from pytest_reedbackup.databases.held_locks import Hold
from pytest_reedbackup.databases.layout import (
    finish_folder,
    make_folder,
    write_file,
    write_registry,
)
from pytest_reedbackup.generate.last.backup_files import BackupFile
from pytest_reedbackup.generate.last.file_damage import (
    LINES,
    LOGS,
    NO_FILE,
    DeltaDamage,
    with_damage,
)
from pytest_reedbackup.generate.last.obstacles import Obstacle, ObstacleKind, file_name
from pytest_reedbackup.injection.damage import line_changed, record, xz

_ADMIN = 1


class Edit(Struct, frozen=True):
    """One record of a delta: a stretch of the old content, and new bytes after it."""

    keep: int = 0
    """Bytes of the old content, at most what is left of it."""
    mixed: bytes = b""
    """What is added to the first of those, modulo 256."""
    extra: bytes = b""
    seek: int = 0
    """How far to go in the old content before the next record; not out of it."""


class Version(Struct, frozen=True):
    """One line of version.log, and the delta that it names."""

    at: int
    """Unix nanoseconds."""
    edits: tuple[Edit, ...] = ()
    """To the version before in the log; the first one's content is just what is new."""
    delta: DeltaDamage | None = None


class TableHistory(Struct, frozen=True):
    """A table: its versions in the order of its log, and what happened to its files."""

    name: str
    """With %XX for what is no plain text, as everywhere in a scenario."""
    versions: tuple[Version, ...] = ()
    lines: tuple[tuple[int, str], ...] = ()
    """Lines of the log, counted from 0, and their damage: a name in LINES."""
    log: str = ""
    """The damage to the whole log: a name in LOGS."""
    current: Literal["sound", "lost", "changed"] = "sound"
    mode: int = 0o644
    """Of current.csv and version.log."""
    stray: Literal["", "file", "folder"] = ""
    """Something else in the table's folder."""
    obstacles: tuple[Obstacle, ...] = ()
    """By path relative to the table's folder; the folder itself is the empty one."""
    lock: Literal["", "a-moment", "throughout"] = ""
    """For how long somebody else holds the table's lock during a call."""

    @property
    def folder(self) -> str:
        """The name of its folder."""
        return file_name(self.name)


class Stray(Struct, frozen=True):
    """Something under tables/ that is no table."""

    name: str
    target: str | None = None
    """Of a symlink; None for a file."""


class Restore(Struct, frozen=True, tag="restore_point_in_time"):
    """restore_point_in_time to `target` (Unix nanoseconds)."""

    target: int
    of_call: int = 0
    """Not to `target`, but to what this call wrote, counted from 1, if it wrote something."""
    before: bool = False
    """Just before all that it wrote, rather than just after."""
    at: int = 0
    """The clock at the call, in seconds from where it stood at first; it may go back."""


class List(Struct, frozen=True, tag="list_backups"):
    """list_backups."""

    at: int = 0


class Create(Struct, frozen=True, tag="create_backup"):
    """create_backup."""

    at: int = 0


Call = Restore | List | Create


class Scenario(Struct, frozen=True):
    """A database and the calls on it, one after another."""

    tables: tuple[TableHistory, ...]
    calls: tuple[Call, ...]
    strays: tuple[Stray, ...] = ()
    backups: tuple[BackupFile, ...] = ()
    obstacles: tuple[Obstacle, ...] = ()
    users: bytes | None = None
    """The content of users.dict; None for that of every base."""

    def to_json(self) -> bytes:
        """Return it as JSON, always the same."""
        return msgspec.json.encode(self, order="deterministic")

    @classmethod
    def from_json(cls, content: bytes) -> Scenario:
        """Return the scenario of `to_json`. Raises msgspec.DecodeError."""
        return msgspec.json.decode(content, type=cls)

    @property
    def digest(self) -> str:
        """What tells it from all others."""
        return hashlib.sha256(self.to_json()).hexdigest()

    def build(self, base: Path) -> None:
        """Make the database at `base`, whose parent is there."""
        make_folder(base)
        _write_registry(base, self.users)
        if self.backups:
            folder = make_folder(base / "backups")
            for backup in self.backups:
                backup.write(folder)
            finish_folder(folder)
        self._build_tables(base / "tables")
        finish_folder(base)
        for number, (path, kind) in enumerate(self._all_obstacles()):
            Obstacle(path, kind).place(base, number)

    @property
    def locks(self) -> dict[str, Hold]:
        """The tables whose lock somebody else holds, and for how long."""
        return {table.folder: table.lock for table in self.tables if table.lock}

    def _all_obstacles(self) -> Iterator[tuple[str, ObstacleKind]]:
        for table in self.tables:
            # What is in the folder first, the folder itself last.
            for each in sorted(table.obstacles, key=lambda each: not each.path):
                yield f"tables/{table.name}/{each.path}".rstrip("/"), each.kind
        for each in self.obstacles:
            yield each.path, each.kind

    def _build_tables(self, folder: Path) -> None:
        make_folder(folder)
        for table in self.tables:
            _build_table(table, folder / table.folder)
        for stray in self.strays:
            if stray.target is None:
                write_file(folder / stray.name, b"no table")
            else:
                (folder / stray.name).symlink_to(stray.target)
        finish_folder(folder)


def _write_registry(base: Path, users: bytes | None) -> None:
    write_registry(base)
    if users is not None:
        path = base / "registry" / "users.dict"
        path.unlink()
        write_file(path, users)
        finish_folder(path.parent)


def _build_table(table: TableHistory, folder: Path) -> None:
    make_folder(folder)
    stored, content = _stored(table.versions)
    deltas = _damaged_deltas(table.versions, stored)
    # A later version of the same time has the file, as on a disk.
    by_name = {
        f"{version.at}.bsdiff": delta for version, delta in zip(table.versions, deltas, strict=True)
    }
    for name, delta in by_name.items():
        if delta is not None:
            write_file(folder / name, delta)
    _write_log(table, folder / "version.log", [len(delta) for delta in stored])
    if table.current != "lost":
        changed = b"changed|from outside\n" if table.current == "changed" else b""
        write_file(folder / "current.csv", content + changed, mode=table.mode)
    write_file(folder / ".lock", b"")
    if table.stray == "file":
        write_file(folder / "notes.txt", b"of others")
    elif table.stray == "folder":
        finish_folder(make_folder(folder / "of others"))
    finish_folder(folder)


def _stored(versions: tuple[Version, ...]) -> tuple[list[bytes], bytes]:
    """Return the sound deltas in the log's order, the first one raw, and the last content."""
    stored, content = [], b""
    for number, version in enumerate(versions):
        stream, content = _applied(version.edits, content)
        stored.append(xz(stream) if number else content)
    return stored, content


def _applied(edits: tuple[Edit, ...], old: bytes) -> tuple[bytes, bytes]:
    """Return the bsdiff stream of `edits`, and what it makes of `old`."""
    stream, new, position = bytearray(), bytearray(), 0
    for edit in edits:
        kept = old[position : position + edit.keep]
        mixed = edit.mixed[: len(kept)].ljust(len(kept), b"\0")
        position += len(kept)
        seek = min(max(edit.seek, -position), len(old) - position)
        stream += record(len(kept), edit.extra, seek, mixed)
        new += bytes((one + other) % 256 for one, other in zip(kept, mixed, strict=True))
        new += edit.extra
        position += seek
    return bytes(stream), bytes(new)


def _damaged_deltas(versions: tuple[Version, ...], stored: list[bytes]) -> Iterator[bytes | None]:
    for number, version in enumerate(versions):
        if version.delta is None:
            yield stored[number]
        else:
            yield with_damage(version.delta, stored, number)


def _write_log(table: TableHistory, path: Path, sizes: list[int]) -> None:
    if table.log == "a-folder":
        finish_folder(make_folder(path))
        return
    log = b"".join(
        b"%d|%d|%d|%d\n" % (version.at, UPDATE if number else INIT, _ADMIN, size)
        for number, (version, size) in enumerate(zip(table.versions, sizes, strict=True))
    )
    if table.versions:
        # A line that has become another may not be one that can be changed again.
        for number, name in {n % len(table.versions): name for n, name in table.lines}.items():
            log = line_changed(log, 1 + number, LINES[name])
    if table.log in LOGS:
        log = LOGS[table.log](log)
    if table.log != NO_FILE:
        write_file(path, log, mode=table.mode)
