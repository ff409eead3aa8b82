"""An imitation of the Rust baseline with all its defects, to hold the suite against.

The suite for contract `last` must say of the baseline that it conforms, D1 to
D17 included. The baseline is not at hand in this project, so this module does
what its document says and what its recordings show (see
`test_baseline_imitation`), by the same plain steps: files overwritten in place,
a temporary file a version, tar on the whole base.

    pytest --reedbackup-impl=tests.last.baseline.imitation:Baseline
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reedbase_backup.errors import (
    CommandFailed,
    IoError,
    NoTablesFound,
    ReedError,
    TableNotFound,
)
from reedbase_backup.last import BackupInfo, RestoreReport, registry
from reedbase_backup.last.os_errors import reason, reported
from reedbase_backup.last.versions import delta, version_log
from reedbase_backup.last.versions.version_log import LogLine
from reedbase_backup.types import U32_MAX, U64_MAX

SUFFIX = ".tar.gz"
NOT_A_FILE = "the source path is neither a regular file nor a symlink to a regular file"


class Baseline:
    """What `last/` does, as far as its document tells."""

    name = "imitation of last/"
    version = "1"
    contracts = ("last",)

    def __init__(self) -> None:
        self._registry: Registry | None = None

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
                second = version_log.parse_number(stem, U64_MAX)
                if stem != entry.name and second is not None:
                    found.append(
                        described(Path(entry.path), second, entry.stat(follow_symlinks=False))
                    )
        return sorted(found, key=lambda info: info.timestamp, reverse=True)

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        """Rolls each table back through its own log."""
        base = Path(base_path)
        if self._registry is None or self._registry.base != base:
            self._registry = Registry(base)
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
                with reported("restore_table"):  # what its document does not name
                    version = restore_table(self._registry, Path(entry.path), target_timestamp)
            except ReedError as error:
                report.errors.append((shown(entry.name), error))
            else:
                if version is None:
                    report.tables_skipped.append(shown(entry.name))
                else:
                    report.tables_restored.append((shown(entry.name), version))
        return report


def shown(name: str) -> str:
    """A file's name as text: bytes that are not UTF-8 become U+FFFD."""
    return os.fsencode(name).decode("utf-8", "replace")


class Registry:
    """The users of one base, which users.dict is read for once."""

    def __init__(self, base: Path) -> None:
        self.base = base
        self._path = base / "registry" / "users.dict"
        self._names: dict[str, int] = {}
        self._largest = 0
        # The adapter's duty to a database, which is nobody's error here.
        is_database = (base / "tables").is_dir() or (base / "registry").is_dir()
        with contextlib.suppress(ReedError, OSError):
            if is_database and not os.path.lexists(self._path):
                registry.init_registry(base)
        with contextlib.suppress(OSError, UnicodeDecodeError):
            self._read(self._path.read_bytes().decode())

    def _read(self, text: str) -> None:
        """Ends without an error at the first code that is none."""
        *ended, last = text.split("\n")
        for line in [*(line.removesuffix("\r") for line in ended), last][1:]:
            fields = line.split("|")
            if len(fields) < 2:
                continue
            code = version_log.parse_number(fields[0], U32_MAX)
            if code is None:
                return
            self._names[fields[1]] = code
            self._largest = max(self._largest, code)

    def system(self) -> int:
        """The code of the user system, who is added if new: glued to an unended line (D16)."""
        if registry.SYSTEM not in self._names:
            code = (self._largest + 1) % (U32_MAX + 1)
            with reported("append_users_dict"), self._path.open("ab") as file:
                file.write(b"%d|system|%d\n" % (code, time.time()))
            self._names[registry.SYSTEM] = code
            self._largest = max(self._largest, code)
        return self._names[registry.SYSTEM]


def described(path: Path, second: int, found: os.stat_result) -> BackupInfo:
    return BackupInfo(second, path, found.st_size, found.st_size / 1048576)


def restore_table(users: Registry, folder: Path, target: int) -> int | None:
    if not (folder / "current.csv").exists():
        raise TableNotFound(shown(folder.name))
    lines = read_log(folder)
    version = version_log.newest_at_or_before(lines, target)
    if version is None:
        return None
    rebuilt = rebuild(folder, [line.timestamp for line in lines[: lines.index(version) + 1]])
    content = rebuilt.read_bytes()
    rebuilt.unlink()
    write(users, folder, content)
    return version.timestamp


def read_log(folder: Path) -> list[LogLine]:
    return version_log.parse(version_log.read(folder / "version.log"))


def rebuild(folder: Path, timestamps: list[int]) -> Path:
    """A temporary file with the last version; an error leaves the one before it (D10)."""
    before = folder / "rollback.tmp"
    first = folder / f"{timestamps[0]}.bsdiff"
    with reported("copy_init_delta"):
        if not stat.S_ISREG(first.stat().st_mode):
            raise IoError("copy_init_delta", NOT_A_FILE)
        shutil.copyfile(first, before)
    for number, timestamp in enumerate(timestamps[1:], 1):
        path = folder / f"{timestamp}.bsdiff"
        with reported(f"read_delta_file: {path}"):
            stored = path.read_bytes()
        after = folder / f"rollback_{number}.tmp"
        content = delta.apply(before.read_bytes(), stored)
        with reported("write_rollback"):
            after.write_bytes(content)
        before.unlink()
        before = after
    return before


def write(users: Registry, folder: Path, content: bytes) -> None:
    """A new version by the system: the delta, current.csv in place, the code, the log line."""
    with locked(folder / ".lock"):
        current = folder / "current.csv"
        temporary = folder / "current.new.tmp"
        with reported("write_temp_new"):
            temporary.write_bytes(content)
        with reported(f"read_old_file: {current}"):
            old = current.read_bytes()
        stored = delta.diff(old, content)
        temporary.unlink()
        now = time.time_ns()
        (folder / f"{now}.bsdiff").write_bytes(stored)
        with reported("write_current"):
            current.write_bytes(content)
        line = LogLine(now, registry.UPDATE, users.system(), len(stored))
        with reported("open_log"), (folder / "version.log").open("ab") as log:
            log.write(f"{line}\n".encode())


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """The table's lock, by 50 tries; through a symlink too (D17)."""
    with reported("create_lock_file"):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    try:
        for attempt in range(50):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if attempt == 49:
                    message = f"Failed to acquire lock after 50 attempts: {reason(error)}"
                    raise IoError("acquire_write_lock", message) from error
            time.sleep(min(0.005 * 2**attempt, 0.1))
        yield
    finally:
        os.close(descriptor)
