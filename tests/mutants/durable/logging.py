"""Trees are changed where they are, and what each step undoes is in a log before it is done.

{base}/.undo-log      a line a step, with all that was there; found by the next call, it is
                      read from its end to its beginning
{base}/.undo-log.old  nobody's any more
"""

from __future__ import annotations

import base64
import json
import os
import re
import stat
import time
from contextlib import suppress
from dataclasses import dataclass
from io import BufferedWriter
from pathlib import Path
from typing import Any

from mutants.durable.plain import Plain, reported, write_file
from mutants.in_place import is_folder, is_there, remove
from mutants.model import BackupInfo, Entry, RestoreReport
from mutants.syncing import settle, settle_folder, sync
from mutants.tar_gz import ROOTS

_LOG = ".undo-log"
_NEW = "new.tmp"


class Logging(Plain):
    """Every table is locked at once; archives sort by dots."""

    own = re.compile(r"(0|[1-9][0-9]*)\.([1-9][0-9]*)\.tar\.gz", re.ASCII)

    def name(self, seconds: int, number: int) -> str:
        return f"{seconds}.{number}"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        with self.locked(base):
            self.recover(base)
            self.require_tables(base)
            with self.all_tables_locked(base):
                content = self.compress(self.pack(self.source(base)))
            going, made = self.surplus(base), self.next_archive(base, now_ns)
            backups = made.path.parent
            with suppress(FileExistsError):
                backups.mkdir(0o700)
                sync(base)
            new = backups / _NEW
            try:
                remove(new)
                self.write_new(new, content)
                info = self.info_of(made._replace(path=new))
                new.rename(made.path)
                try:
                    sync(backups)
                    for archive in going[:1]:
                        archive.path.unlink()
                except OSError:  # Ctrl-C may come when one is gone: then the new one stays
                    made.path.rename(new)
                    raise
            finally:
                with suppress(OSError):
                    remove(new)
            for archive in going[1:]:
                with suppress(OSError):
                    archive.path.unlink()
            with suppress(OSError):
                sync(backups)
            return info._replace(id=made.id) if info else None

    def write_new(self, new: Path, content: bytes) -> None:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with open(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(descriptor)

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        started, base = time.monotonic_ns(), Path(base_path)
        with self.locked(base):
            self.recover(base)
            entries = self.picked(base, target_timestamp)
            try:
                self.find_room(base, entries)
                with (base / _LOG).open("xb") as file:
                    sync(base)
                    Steps(base, file).make(entries)
                self.forget(base)
            except BaseException:
                with suppress(OSError):
                    self.recover(base)
                raise
            with suppress(OSError):
                remove(base / f"{_LOG}.old")
            return reported(entries, started)

    def find_room(self, base: Path, entries: list[Entry]) -> None:
        """Fails before anything is changed where the log or the new files would not fit.

        So does it where a file cannot be given its mode and time, which could not be undone either.
        """
        old = [path for root in ROOTS for path in (base / root).rglob("*")]
        files = [path for path in old if path.is_file() and not path.is_symlink()]
        new = sum(len(entry.content) + 4096 for entry in entries)
        log = sum(path.stat().st_size * 4 // 3 for path in files) + 1024 * (len(old) + len(entries))
        room = base / f"{_LOG}.old"
        with room.open("xb") as file:
            file.write(bytes(new + log))
            file.flush()
            settle(file.fileno(), 0o600, (0, 0))
        room.unlink()

    def forget(self, base: Path) -> None:
        log, old = base / _LOG, base / f"{_LOG}.old"
        log.rename(old)
        try:
            sync(base)
        except BaseException:
            old.rename(log)
            raise

    def recover(self, base: Path) -> None:
        log, backups = base / _LOG, base / "backups"
        if log.is_file() and not log.is_symlink():
            steps = _steps(log.read_bytes())
            for step in steps:
                _open_up(base, step["name"])
            for step in reversed(steps):
                _undo(base, step)
            for root in ROOTS:
                if is_folder(base / root):
                    sync(base / root)
            sync(base)
            self.forget(base)
        for left in (log, base / f"{_LOG}.old"):
            remove(left)
        if is_folder(backups):
            remove(backups / _NEW)


@dataclass
class Steps:
    """Makes the live trees what a backup holds."""

    base: Path
    log: BufferedWriter

    def make(self, entries: list[Entry]) -> None:
        files = {entry.name: entry for entry in entries if not entry.is_folder}
        named = {entry.name: entry for entry in entries if entry.is_folder}
        folders = named.keys() | {str(p) for e in entries for p in Path(e.name).parents} - {"."}
        for root in ROOTS:
            self.clear(root, folders, files)
        for name in sorted(folders):
            self.make_folder(name)
        for name, entry in sorted(files.items()):
            if not self.is_alike(self.base / name, entry):
                self.note(name)
                remove(self.base / name)
                write_file(self.base / name, entry)
        for name in sorted(folders, reverse=True):
            if name in named:
                times = (named[name].mtime, named[name].mtime)
                settle_folder(self.base / name, named[name].mode, times)
            else:
                sync(self.base / name)
        sync(self.base)

    def clear(self, name: str, folders: set[str], files: dict[str, Entry]) -> None:
        """Removes what is in the way of the backup, from below."""
        path = self.base / name
        if is_folder(path):
            self.note(name)
            path.chmod(0o700)
            for child in sorted(os.listdir(path)):
                self.clear(f"{name}/{child}", folders, files)
            if name not in folders and not os.path.ismount(path):
                self.note(name)  # its files are to find it there again
                path.rmdir()
        elif is_there(path) and name not in files:
            self.note(name)
            path.unlink()

    def make_folder(self, name: str) -> None:
        if not is_folder(self.base / name):
            self.note(name)
            remove(self.base / name)
            (self.base / name).mkdir(0o700)

    def is_alike(self, path: Path, entry: Entry) -> bool:
        if path.is_symlink() or not path.is_file():
            return False
        status = path.stat()
        has = (stat.S_IMODE(status.st_mode), status.st_mtime, status.st_nlink)
        return has == (entry.mode, entry.mtime, 1) and path.read_bytes() == entry.content

    def note(self, name: str) -> None:
        """Writes down what is there, for good, before it is changed."""
        self.log.write(json.dumps(_described(self.base / name, name)).encode() + b"\n")
        self.log.flush()
        os.fsync(self.log.fileno())


def _described(path: Path, name: str) -> dict[str, Any]:
    if not is_there(path):
        return {"name": name, "mode": 0}
    status = path.lstat()
    step = {
        "name": name,
        "mode": status.st_mode,
        "time": status.st_mtime,
        "dev": getattr(status, "st_rdev", 0),
    }
    if path.is_symlink():
        step["target"] = os.readlink(path)
    elif path.is_file():
        step["content"] = base64.b64encode(path.read_bytes()).decode()
    return step


def _steps(log: bytes) -> list[dict[str, Any]]:
    """What was written down; a line without an end is of a step that was not done."""
    steps = []
    for line in log.split(b"\n")[:-1]:
        try:
            step = json.loads(line)
            parts = step["name"].split("/")
        except (ValueError, KeyError, TypeError, AttributeError):
            break  # no line of ours
        if parts[0] not in ROOTS or ".." in parts:
            break
        steps.append(step)
    return steps


def _take_back_folders(base: Path, name: str) -> None:
    """Others may have put a symlink in the place of a folder since the call was killed."""
    for folder in [base / above for above in reversed(Path(name).parents)]:
        if is_there(folder) and not is_folder(folder):
            remove(folder)
            folder.mkdir(0o700)


def _open_up(base: Path, name: str) -> None:
    """What was restored into a folder may have closed it by now."""
    _take_back_folders(base, name)
    if is_folder(base / name):
        (base / name).chmod(0o700)


def _undo(base: Path, step: dict[str, Any]) -> None:
    path, mode = base / step["name"], step["mode"]
    _take_back_folders(base, step["name"])
    if stat.S_ISDIR(mode):
        if not is_folder(path):
            remove(path)
            path.mkdir()
        settle_folder(path, stat.S_IMODE(mode), (step["time"], step["time"]))
        return
    if path.parent.is_dir():
        remove(path)
    if stat.S_ISLNK(mode):
        path.symlink_to(step["target"])
    elif stat.S_ISREG(mode):
        content = base64.b64decode(step["content"])
        write_file(path, Entry("", False, stat.S_IMODE(mode), step["time"], content))
    elif mode:
        os.mknod(path, mode, step["dev"])
