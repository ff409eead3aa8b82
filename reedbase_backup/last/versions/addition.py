"""How a version is added to a table: all of it or nothing, whatever fails or ends in the midst.

| in this order | |
|---|---|
| `current.csv.{timestamp}.tmp` | what current.csv is to be; beside the file that a symlink names |
| `{timestamp}.bsdiff` | the version's delta |
| `version.log` | replaced as a whole: with its line, the version is one |
| `current.csv` | by a rename of the first |

Each is on disk before the next is begun. A crash before the log has the line leaves the first
two, which the next restore removes; a crash after it is finished by the next writer. So the log
and current.csv never contradict each other for good. (The port's answer to D13; the baseline
overwrites current.csv in place and appends to the log, neither synced.)
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from reedbase_backup.disk.durable import sync_file
from reedbase_backup.errors import ReedError
from reedbase_backup.last import files
from reedbase_backup.last.os_errors import reported
from reedbase_backup.last.versions import chain, version_log
from reedbase_backup.last.versions.version_log import LogLine

# What a crashed baseline (D10) or port may have left in a table's folder.
_LEFTOVER = re.compile(r"rollback(_\d+)?\.tmp|current\.new\.tmp|current\.csv\.\d+\.tmp", re.ASCII)
_PENDING = re.compile(r"current\.csv\.(\d+)\.tmp", re.ASCII)


@dataclass(frozen=True)
class TableFiles:
    """The files of a table that a new version changes; the caller holds the table's lock."""

    folder: Path
    current_path: Path
    log_path: Path

    def add(self, line: LogLine, content: bytes, encoded: bytes) -> None:
        """Add the version `line` with its delta `encoded`, and make `content` the current one.

        Raise IoError, under the names of the baseline's steps; the table is then as it was.
        """
        pending = self._pending_path(line.timestamp)
        before = version_log.read(self.log_path)
        # As the baseline's first file of a write is called.
        with reported("write_temp_new"):
            try:
                files.write_new(pending, content, like=self.current_path)
                files.write_new(chain.delta_path(self.folder, line.timestamp), encoded)
                with reported("write_current"):
                    for folder in {os.path.realpath(self.folder), str(pending.parent)}:
                        sync_file(folder)
                with reported("append_log"):
                    files.replace(self.log_path, version_log.appended(before, line))
                with reported("write_current"):
                    files.publish(pending, self._real_current())
            except BaseException:
                self._withdraw(line, before)
                raise

    def finish(self, lines: Sequence[LogLine]) -> None:
        """Bring current.csv to the log's last version if a crash came in between.

        Others may have put something under the name of what was to be current.csv. So it counts
        as that only where it is a file with the content of that version, and is itself not used.
        """
        if not lines:
            return
        pending = self._pending_path(lines[-1].timestamp)
        with reported("finish_interrupted_write"):
            content = files.content_of_regular(pending)
            if content is not None and content == self._last_version(lines):
                files.replace(self.current_path, content)
                pending.unlink()

    def remove_leftovers(self, logged: Collection[int]) -> None:
        """Remove what crashed writes left, but nothing of the versions `logged`."""
        # The new version is written: what cannot be removed must not make that a failure.
        with contextlib.suppress(OSError), os.scandir(self.folder) as entries:
            for entry in entries:
                if _LEFTOVER.fullmatch(entry.name):
                    with contextlib.suppress(OSError):
                        self._remove_leftover(entry, logged)

    def _remove_leftover(self, entry: os.DirEntry[str], logged: Collection[int]) -> None:
        pending = _PENDING.fullmatch(entry.name)
        if pending and int(pending[1]) not in logged and entry.is_file(follow_symlinks=False):
            # The delta of the same write; any other that the log does not name is somebody's.
            chain.delta_path(self.folder, int(pending[1])).unlink(missing_ok=True)
        os.unlink(entry.path)

    def _last_version(self, lines: Sequence[LogLine]) -> bytes | None:
        """Return the content of the log's last version by the deltas; None where they are bad."""
        try:
            return chain.rebuild(self.folder, [line.timestamp for line in lines])
        except ReedError:
            return None

    def _withdraw(self, line: LogLine, before: bytes) -> None:
        """Undo a failed write; where the log keeps its line, the next writer finishes it."""
        with contextlib.suppress(OSError):
            if version_log.read(self.log_path) != before:
                files.replace(self.log_path, before)
            chain.delta_path(self.folder, line.timestamp).unlink(missing_ok=True)
            self._pending_path(line.timestamp).unlink(missing_ok=True)

    def _real_current(self) -> Path:
        """Return the file itself where current.csv is a symlink, which stays one."""
        return Path(os.path.realpath(self.current_path))

    def _pending_path(self, timestamp: int) -> Path:
        return self._real_current().with_name(f"current.csv.{timestamp}.tmp")
