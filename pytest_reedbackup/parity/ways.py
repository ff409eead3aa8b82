"""The ways in which one table may end in a restore, step by step (contract `last`, "restore" 2)."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_reedbackup.databases.edits import UPDATE
from pytest_reedbackup.implementations.json_outcomes import ok
from pytest_reedbackup.parity.facts import Line, Side, in_words
from pytest_reedbackup.parity.restores import appended_line
from pytest_reedbackup.parity.surroundings import described_path
from pytest_reedbackup.parity.users import Choice
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tables import (
    IS_A_FOLDER,
    NO_FOLDER,
    NO_SUCH_FILE,
    TableFolder,
    Unreadable,
    Version,
)

LOCK_TAKEN = (
    "Failed to acquire lock after 50 attempts: Resource temporarily unavailable (os error 11)"
)
_ANY_IO_ERROR = re.compile(r"error IoError .*")
_TEMPORARY = re.compile(r"rollback(_[0-9]+)?\.tmp|current\.new\.tmp", re.ASCII)
_NEW = "current.new.tmp"


@dataclass(frozen=True)
class Way:
    """One way in which a table may end."""

    said: Line
    """What the report says of it."""
    current: bytes | None = None
    """What current.csv is overwritten with, where that is another content."""
    log: str = "as before"
    orphans: int = 0
    """How many new deltas no log line names."""
    makes_lock: bool = False
    left: tuple[tuple[str, bytes], ...] = ()
    """Temporary files that were not there, and their content."""
    removed: frozenset[str] = frozenset()
    """Temporary files that were there, and are gone."""
    besides: tuple[Line, ...] = ()
    """Lines about what else changed in the table's folder."""
    through: tuple[tuple[str, bytes], ...] = ()
    """What is written where symlinks lead, by path in the snapshot."""
    asks_for_code: bool = False
    """Whether system must have a code by then."""
    decision: str = ""
    """Which way it is, of several in which the safe thing may be done."""


class _Stopped(Exception):
    """The table ends here."""

    def __init__(self, said: Line) -> None:
        super().__init__(said)
        self.said = said


@dataclass
class _Track:
    """What has happened to one table so far."""

    left: dict[str, bytes] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    changed: dict[str, bytes] = field(default_factory=dict)
    """Temporary files that were there, and have another content."""
    through: dict[str, bytes] = field(default_factory=dict)
    makes_lock: bool = False
    is_locked: bool = False

    def way(self, said: Line, **more: object) -> Way:
        """The end, with all this."""
        end = Way(
            said,
            makes_lock=self.makes_lock,
            left=tuple(self.left.items()),
            removed=frozenset(self.removed),
            through=tuple(self.through.items()),
        )
        return replace(end, **more)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Ways:
    """The ways of one call's tables, with one choice of the code of system."""

    side: Side
    before: Snapshot
    target: int
    mended: frozenset[str]
    choice: Choice

    def of(self, table: TableFolder) -> list[Way]:
        """All ways that are right for a table, each once."""
        walk = _Walk(self, table)
        ways = list(walk.ways())
        if "D17" in self.mended and walk.met_link:
            refusal = Way(_ANY_IO_ERROR, decision="refused")
            ways += [refusal, replace(refusal, makes_lock=not walk.has(".lock"))]
        return list(dict.fromkeys(ways))


@dataclass
class _Walk:
    call: Ways
    table: TableFolder
    met_link: bool = False

    def has(self, name: str) -> bool:
        """Whether there is anything of this name in the table's folder."""
        return os.path.lexists(self.table.path / name)

    def ways(self) -> Iterator[Way]:
        """As far as the table is read, then as it is written."""
        lost = not self.table.current.exists()
        not_found = Way(self._error("TableNotFound", name=self.table.reported_name))
        if lost and ("D9" not in self.call.mended or self.table.current.is_symlink()):
            yield not_found
            return
        try:
            version = self.table.newest_at_or_before(self.call.target)
            contents, failure = self._rebuilt(version) if version else ([], None)
        except Unreadable as error:
            yield not_found if lost else Way(self._error(error.kind, **error.fields))
            return
        if version is None or (lost and failure):
            yield not_found if lost else Way("skipped")
            return
        yield from self._restored(version, contents, failure)

    def _rebuilt(self, version: Version) -> tuple[list[bytes], Unreadable | None]:
        contents = []
        try:
            for content in self.table.contents(version.timestamp):
                contents.append(content)
        except Unreadable as error:
            return contents, error
        return contents, None

    def _restored(
        self, version: Version, contents: Sequence[bytes], failure: Unreadable | None
    ) -> Iterator[Way]:
        track = _Track()
        in_memory = "D10" in self.call.mended
        try:
            if not in_memory:
                self._rebuild(track, contents, failure)
            if failure:
                raise _Stopped(self._error(failure.kind, **failure.fields))
            self._lock(track)
            self._temporary(track, contents[-1], in_memory)
        except _Stopped as stopped:
            yield from self._stopped(track, stopped)
            return
        yield from self._written(track, version, contents[-1])

    def _stopped(self, track: _Track, stopped: _Stopped) -> Iterator[Way]:
        yield self._end(track, stopped.said)
        if track.left.pop(_NEW, None):
            # The contract does not say whether it stays behind where current.csv cannot be read.
            yield self._end(track, stopped.said, decision="nothing left")
        if self.call.choice.reason and "D15" in self.call.mended and track.is_locked:
            yield self._without_code(track)

    def _rebuild(
        self, track: _Track, contents: Sequence[bytes], failure: Unreadable | None
    ) -> None:
        """Each version in a temporary file, until the last one has been read."""
        names = ["rollback.tmp", *(f"rollback_{n}.tmp" for n in range(1, len(contents)))]
        for number, (name, content) in enumerate(zip(names, contents, strict=False)):
            # What the baseline calls the writing of later ones, its document does not say.
            operation = "" if number else "copy_init_delta"
            self._write(track, name, content, operation)
            if number:
                self._remove(track, names[number - 1])
        if not failure and contents:
            self._remove(track, names[len(contents) - 1])

    def _lock(self, track: _Track) -> None:
        track.is_locked = True
        lock = self.table.path / ".lock"
        if not os.path.lexists(lock):
            track.makes_lock = True
        elif lock.is_symlink() and "D17" in self.call.mended:
            self.met_link = True
        elif reason := self._blocked(lock):
            raise _Stopped(self._error("IoError", operation="create_lock_file", reason=reason))
        elif not lock.exists():
            track.through[self.call.before.resolve(lock)] = b""
        if self.call.side.locks.get(self.table.name) == "throughout" and lock.is_file():
            fields = {"operation": "acquire_write_lock", "reason": LOCK_TAKEN}
            raise _Stopped(self._error("IoError", **fields))

    def _temporary(self, track: _Track, content: bytes, in_memory: bool) -> None:
        """The new content in a temporary file, from which the delta is made."""
        self._write(track, _NEW, content, "write_temp_new")
        if self.table.current.is_dir():
            if in_memory:
                self._remove(track, _NEW)
            operation = f"read_old_file: {self.table.current}"
            raise _Stopped(self._error("IoError", operation=operation, reason=IS_A_FOLDER))
        self._remove(track, _NEW)

    def _written(self, track: _Track, version: Version, content: bytes) -> Iterator[Way]:
        current = self.table.current
        old = current.read_bytes() if current.exists() else None
        new = None if old == content else content
        choice = self.call.choice
        if choice.reason:
            if "D15" in self.call.mended:
                yield self._without_code(track)
            else:
                yield self._end(track, self._no_code(), current=new, orphans=1)
            return
        log = self.table.log.read_bytes()
        glued = not log.endswith(b"\n") and "D7" not in self.call.mended
        restored = self._end(
            track,
            f"restored to {self.call.side.version(self.table.reported_name, version.timestamp)}",
            current=new,
            log=appended_line(UPDATE, choice.code, glued=glued),
            asks_for_code=True,
        )
        yield restored
        if "D10" in self.call.mended:
            there = {path.name for path in self.table.path.iterdir() if not path.is_dir()}
            swept = frozenset(filter(_TEMPORARY.fullmatch, there))
            yield replace(restored, removed=swept, decision="swept")
            yield replace(restored, removed=frozenset(), decision="nothing removed")
        elif "D17" in self.call.mended and (links := self._links()):
            removed = restored.removed | links
            yield replace(restored, removed=removed, decision="links removed")

    def _links(self) -> frozenset[str]:
        """Symlinks under the names of temporary files."""
        names = (path.name for path in self.table.path.iterdir() if path.is_symlink())
        return frozenset(filter(_TEMPORARY.fullmatch, names))

    def _without_code(self, track: _Track) -> Way:
        """The error before anything is written (D15)."""
        return Way(self._no_code(), makes_lock=track.makes_lock, decision="code first")

    def _no_code(self) -> str:
        fields = {"operation": "append_users_dict", "reason": self.call.choice.reason}
        return self._error("IoError", **fields)

    def _end(self, track: _Track, said: Line, **more: object) -> Way:
        path = self.call.before.resolve(self.table.path)
        names = (described_path(f"{path}/{name}") for name in sorted(track.changed))
        besides = tuple(re.compile(f"changed besides: {re.escape(name)}: .*") for name in names)
        return replace(track.way(said), besides=besides, **more)  # type: ignore[arg-type]

    def _write(self, track: _Track, name: str, content: bytes, operation: str) -> None:
        """A temporary file is written, through a symlink too (D17)."""
        path = self.table.path / name
        if path.is_symlink() and "D17" in self.call.mended:
            self.met_link = True
            return
        if reason := self._blocked(path):
            fields = {"operation": operation, "reason": reason}
            raise _Stopped(self._error("IoError", **fields) if operation else _ANY_IO_ERROR)
        if path.is_symlink():
            track.through[self.call.before.resolve(path)] = content
        elif path.exists():
            if path.read_bytes() != content:
                track.changed[name] = content
        else:
            track.left[name] = content

    def _remove(self, track: _Track, name: str) -> None:
        track.left.pop(name, None)
        track.changed.pop(name, None)
        is_kept = (self.table.path / name).is_symlink() and "D17" in self.call.mended
        if self.has(name) and not is_kept:
            track.removed.add(name)

    def _blocked(self, path: Path) -> str:
        """Why a file cannot be opened for writing there, following symlinks; empty if it can."""
        real = Path(os.path.realpath(path))
        if real.is_dir():
            return IS_A_FOLDER
        if real.exists() or real.parent.is_dir():
            return ""
        return NO_FOLDER if real.parent.is_file() else NO_SUCH_FILE

    def _error(self, kind: str, **fields: object) -> str:
        return f"error {in_words(ok({'kind': kind, **fields}, self.call.side.base)['ok'])}"
