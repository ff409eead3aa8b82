"""One table: its versions, which are read, added (see `versions.addition`) and brought back."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reedbase_backup.disk.durable import sync_file
from reedbase_backup.errors import IoError, TableAlreadyExists, TableNotFound, VersionNotFound
from reedbase_backup.last import locks, registry
from reedbase_backup.last.os_errors import exists, reported
from reedbase_backup.last.registry import BasePath, Clock
from reedbase_backup.last.types import VersionInfo
from reedbase_backup.last.versions import chain, delta, version_log
from reedbase_backup.last.versions.addition import TableFiles
from reedbase_backup.last.versions.version_log import LogLine
from reedbase_backup.types import U64_MAX


class Table:
    """The table `name` of the database in `base_path`.

    `clock` gives Unix nanoseconds. Methods that write take the table's lock.
    They raise IoError (acquire_write_lock if another process keeps it) where
    the operating system refuses something, and LogCorrupted if version.log
    cannot be read; the table is then as it was.
    """

    def __init__(self, base_path: BasePath, name: str, *, clock: Clock = time.time_ns) -> None:
        if name in ("", ".", "..") or "/" in name or "\0" in name:
            raise ValueError(f"not the name of a table's folder: {name!r}")
        self.base_path = Path(base_path)
        self.name = name
        self.folder = self.base_path / "tables" / name
        self.current_path = self.folder / "current.csv"
        self.log_path = self.folder / "version.log"
        self.lock_path = self.folder / ".lock"
        self._clock = clock
        self._files = TableFiles(self.folder, self.current_path, self.log_path)
        self._parsed: tuple[bytes, list[LogLine]] = b"", []
        """The log as it was read last. (A restore reads it three times; to parse 10,000 lines
        takes 25 ms.)"""

    def exists(self) -> bool:
        """Return whether the table has a current.csv, which is what the baseline asks."""
        return exists(self.current_path)

    def read(self) -> bytes:
        """Return the current content. Raise TableNotFound or IoError."""
        self._require()
        with reported("read_current"):
            return self.current_path.read_bytes()

    def log(self) -> list[LogLine]:
        """Return the lines of version.log, oldest first. Raise LogCorrupted."""
        content = version_log.read(self.log_path)
        if content != self._parsed[0]:
            self._parsed = content, version_log.parse(content)
        return self._parsed[1]

    def list_versions(self) -> list[VersionInfo]:
        """Return all versions, newest first. Raise TableNotFound, LogCorrupted or IoError."""
        self._require()
        actions = registry.action_names(self.base_path)
        users = registry.user_names(self.base_path)
        return [
            VersionInfo(
                timestamp=line.timestamp,
                action=actions.get(line.action, f"unknown({line.action})"),
                user=users.get(line.user, f"unknown({line.user})"),
                delta_size=line.size,
            )
            for line in sorted(self.log(), key=lambda line: line.timestamp, reverse=True)
        ]

    def init(self, content: bytes, user: str) -> int:
        """Make the table with `content` as its first version, and return its timestamp.

        Raise TableAlreadyExists if it has a current.csv or versions.
        """
        if self.exists():
            raise TableAlreadyExists(name=self.name)
        with reported("create_table"):
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_file(os.path.realpath(self.folder.parent))
            sync_file(os.path.realpath(self.base_path))
        with self._locked() as lines:
            if self.exists() or lines:
                raise TableAlreadyExists(name=self.name)
            return self._append(lines, content, content, registry.INIT, user)

    def write(self, content: bytes, user: str) -> int:
        """Make `content` the newest version, and return its timestamp. Raise TableNotFound."""
        if not self.log():
            self._require()
        with self._locked() as lines:
            self._require()
            return self._update(lines, content, user)

    def rollback(self, timestamp: int, user: str) -> int:
        """Write the content of version `timestamp` as a new version, and return the new timestamp.

        Raise TableNotFound, VersionNotFound, and what `rebuild` raises.
        """
        self._require()
        return self.bring_back(self.rebuild(timestamp), user)

    def bring_back(self, content: bytes, user: str) -> int:
        """Do what `write` does, even if current.csv is lost (D9); return the version's timestamp.

        Temporary files of crashed restores go away, as with the baseline.
        """
        with self._locked() as lines:
            timestamp = self._update(lines, content, user)
            self._files.remove_leftovers({timestamp, *(line.timestamp for line in lines)})
        return timestamp

    def rebuild(self, timestamp: int) -> bytes:
        """Return the content of version `timestamp`, from the deltas alone.

        Where the log has the timestamp twice, the older line counts. Raise
        VersionNotFound, LogCorrupted, and what `chain.rebuild` raises.
        """
        timestamps = [line.timestamp for line in self.log()]
        if timestamp not in timestamps:
            raise VersionNotFound(timestamp=timestamp)
        return chain.rebuild(self.folder, timestamps[: timestamps.index(timestamp) + 1])

    def _require(self) -> None:
        if not self.exists():
            raise TableNotFound(name=self.name)

    @contextmanager
    def _locked(self) -> Iterator[list[LogLine]]:
        """Hold the table's lock, with the log as it is now."""
        with locks.table(self.lock_path):
            lines = self.log()
            self._files.finish(lines)
            yield lines

    def _update(self, lines: list[LogLine], content: bytes, user: str) -> int:
        """Add `content` as a version; a fault is met where the baseline's order of work has it.

        The one exception is the user's code: the baseline asks for it when
        current.csv is overwritten already (D15).
        """
        if not lines:
            # Whatever comes first in the log is read as raw content.
            return self._append(lines, content, content, registry.INIT, user)
        self._require_room_for_temporary()
        encoded = delta.diff(self._writable_current(), content)
        return self._append(lines, content, encoded, registry.UPDATE, user)

    def _require_room_for_temporary(self) -> None:
        """Raise IoError as the baseline does where a folder is in the place of its temporary file.

        The port has no use for the file. It opens none, and no symlink to one (D17).
        """
        with reported("write_temp_new"):
            if _is_folder(self.folder / "current.new.tmp"):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))

    def _writable_current(self) -> bytes:
        """Return current.csv's content; empty if it is lost, so that the delta fits anything.

        It is opened for writing, because a file that its owner made read-only
        stays as it is, although a rename could replace it.
        """
        read = f"read_old_file: {self.current_path}"
        try:
            with reported(read), open(self.current_path, "rb", opener=_without_waiting) as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise IoError(read, "not a regular file")
                content = file.read()
        except IoError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return b""
            raise
        with reported("write_current"):
            os.close(os.open(self.current_path, os.O_WRONLY | os.O_CLOEXEC))
        return content

    def _append(
        self, lines: list[LogLine], content: bytes, encoded: bytes, action: int, user: str
    ) -> int:
        """Add a version with its delta, and make `content` the current one."""
        code = registry.user_code(self.base_path, user, clock=self._clock)
        line = LogLine(self._next_timestamp(lines), action, code, len(encoded))
        self._files.add(line, content, encoded)
        return line.timestamp

    def _next_timestamp(self, lines: list[LogLine]) -> int:
        """Return now, but later than every version there is, for an unused delta file.

        If a version has the last timestamp there can be, now must do.
        """
        now = self._clock()
        newest = max((line.timestamp for line in lines), default=0)
        timestamp = max(now, newest + 1) if newest < U64_MAX else now
        known = {line.timestamp for line in lines}
        while timestamp in known or os.path.lexists(chain.delta_path(self.folder, timestamp)):
            timestamp += 1
        return timestamp


def _is_folder(path: Path) -> bool:
    """Return whether a folder itself is there, not a symlink to one."""
    return not path.is_symlink() and path.is_dir()


def _without_waiting(path: str, flags: int) -> int:
    """Open as `open` does, but do not wait for a writer where `path` is a FIFO."""
    return os.open(path, flags | os.O_NONBLOCK)
