"""An imitation of the Rust baseline with all its defects, to hold the suite against.

The suite for contract `last` must say of the baseline that it conforms, D1 to
D14 included. The baseline is not at hand in this project, so this module does
what its document says and what its recordings show (see
`test_baseline_imitation`), by the same plain steps: files overwritten in place,
a temporary file a version, tar on the whole base.

    pytest --reedbackup-impl=tests.baseline_imitation:Baseline
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

from reedbase_backup.errors import (
    CommandFailed,
    IoError,
    LogCorrupted,
    NoTablesFound,
    ReedError,
    TableNotFound,
)
from reedbase_backup.last import BackupInfo, RestoreReport, delta, locks, registry, version_log
from reedbase_backup.last.os_errors import reason, reported
from reedbase_backup.last.version_log import LogLine

SUFFIX = ".tar.gz"


class Baseline:
    """What `last/` does, as far as its document tells."""

    name = "imitation of last/"
    version = "1"
    contracts = ("last",)

    def create_backup(self, base_path: str) -> BackupInfo:
        """Runs tar on the base folder, backups/ and the archive itself included."""
        base = Path(base_path)
        backups = base / "backups"
        with reported("create_backup_dir"):
            backups.mkdir(parents=True, exist_ok=True)
        if base.name in ("", ".."):
            raise IoError("get_basename", "Invalid base path")
        second = int(time.time())
        archive = backups / f"{second}{SUFFIX}"
        command = ["tar", "czf", str(archive), "-C", str(base.parent), base.name]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode:
            raise CommandFailed("tar", done.stderr.decode("utf-8", "replace"))
        with reported("stat_backup"):
            return described(archive, second, archive.stat())

    def list_backups(self, base_path: str) -> list[BackupInfo]:
        """Whatever has the name of an archive."""
        backups = Path(base_path) / "backups"
        if not backups.exists():
            return []
        found = []
        with reported("read_backup_dir"), os.scandir(backups) as entries:
            for entry in entries:
                stem = entry.name.removesuffix(SUFFIX)
                second = version_log.parse_number(stem, version_log.U64_MAX)
                if stem != entry.name and second is not None:
                    found.append(
                        described(Path(entry.path), second, entry.stat(follow_symlinks=False))
                    )
        return sorted(found, key=lambda info: info.timestamp, reverse=True)

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        """Rolls each table back through its own log."""
        base = Path(base_path)
        tables = base / "tables"
        if not tables.exists():
            raise NoTablesFound
        report = RestoreReport(target_timestamp)
        with reported("read_tables_dir"):
            entries = list(os.scandir(tables))
        for entry in entries:
            if not entry.is_dir(follow_symlinks=False):
                continue
            try:
                version = restore_table(base, Path(entry.path), target_timestamp)
            except ReedError as error:
                report.errors.append((entry.name, error))
            else:
                if version is None:
                    report.tables_skipped.append(entry.name)
                else:
                    report.tables_restored.append((entry.name, version))
        return report


def described(path: Path, second: int, found: os.stat_result) -> BackupInfo:
    return BackupInfo(second, path, found.st_size, found.st_size / 1048576)


def restore_table(base: Path, folder: Path, target: int) -> int | None:
    if not (folder / "current.csv").exists():
        raise TableNotFound(folder.name)
    lines = read_log(folder)
    version = version_log.newest_at_or_before(lines, target)
    if version is None:
        return None
    rebuilt = rebuild(folder, [line.timestamp for line in lines[: lines.index(version) + 1]])
    write(base, folder, rebuilt.read_bytes())
    rebuilt.unlink()
    return version.timestamp


def read_log(folder: Path) -> list[LogLine]:
    return version_log.parse(version_log.read(folder / "version.log"))


def rebuild(folder: Path, timestamps: list[int]) -> Path:
    """A temporary file with the last version; an error leaves the one before it (D10)."""
    before = folder / "rollback.tmp"
    first = folder / f"{timestamps[0]}.bsdiff"
    with reported("copy_init_delta"):
        if not stat.S_ISREG(first.stat().st_mode):
            raise IoError("copy_init_delta", "the source path is not a regular file")
        shutil.copyfile(first, before)
    for number, timestamp in enumerate(timestamps[1:], 1):
        path = folder / f"{timestamp}.bsdiff"
        with reported(f"read_delta_file: {path}"):
            stored = path.read_bytes()
        after = folder / f"rollback_{number}.tmp"
        after.write_bytes(delta.apply(before.read_bytes(), stored))
        before.unlink()
        before = after
    return before


def write(base: Path, folder: Path, content: bytes) -> None:
    """A new version by the system: the delta, current.csv in place, the log line, no sync."""
    with locks.exclusive(folder / ".lock", folder.name):
        current = folder / "current.csv"
        temporary = folder / "current.new.tmp"
        temporary.write_bytes(content)
        stored = delta.diff(current.read_bytes(), content)
        temporary.unlink()
        now = time.time_ns()
        (folder / f"{now}.bsdiff").write_bytes(stored)
        current.write_bytes(content)
        code = registry.user_code(base, registry.SYSTEM)
        try:
            with (folder / "version.log").open("ab") as log:
                log.write(f"{LogLine(now, registry.UPDATE, code, len(stored))}\n".encode())
        except OSError as error:
            raise LogCorrupted(reason(error)) from error
