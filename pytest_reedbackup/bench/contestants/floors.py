"""The system calls of a job alone, in one thread: what no implementation of that way can beat.

A first create reads each file, and writes as many bytes as the reference's archive has, durably.
The next ones look at each file, read those that are new since the last one, and copy what is not
new from the last archive.
A restore reads the archive and all live files; of a folder in which one differs it links the
others into a new folder, writes that one, syncs, and puts the new folder in the old one's place.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias, TypeVar

from pytest_reedbackup.bench.contestants.contestant import Contestant
from pytest_reedbackup.bench.rows import Job
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.views.base import roots_in
from reedbase_backup import create_backup
from reedbase_backup.disk.durable import sync_file, sync_tree

_T = TypeVar("_T")

_CHUNK = 1 << 20
_HEAD_BYTES = 1 << 12

_Facts: TypeAlias = tuple[int, int, int, int]
"""Of a file: inode, size, mtime and ctime in nanoseconds."""
_Looked: TypeAlias = Mapping[str, Mapping[str, _Facts]]
"""By folder below the base, by name."""
_Saved: TypeAlias = Mapping[str, Mapping[str, tuple[int, int]]]
"""The same of what a backup, too, says of a file: its size, and mtime in nanoseconds."""


class Floor(Contestant):
    """Makes the system calls of a job, and says what each kind of them took."""

    name = "floor"
    is_floor = True

    def __init__(self, base: Path) -> None:
        super().__init__(base)
        self._backups = base / "backups"
        self._size = create_backup(base).size_bytes
        self._made = 0
        self._known: _Looked = {}
        self._steps: dict[str, float] = {}
        self.forget()

    @property
    def steps(self) -> Mapping[str, float]:
        """What each kind of system call took in the last turn."""
        return self._steps

    def forget(self) -> None:
        """Remove all archives."""
        remove_tree(self._backups)
        self._known = {}

    def run(self, job: Job) -> float:
        """Make the calls."""
        self._steps = {}
        started = time.perf_counter()
        {
            Job.CREATE: self._create,
            Job.RESTORE: self._restore,
            Job.VERIFY: self._read_archive,
            Job.LIST: self._list,
        }[job]()
        return time.perf_counter() - started

    @staticmethod
    def is_of(job: Job) -> bool:
        """Return whether it has calls for a job."""
        return job in (Job.CREATE, Job.RESTORE, Job.VERIFY, Job.LIST)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self._steps[name] = self._steps.get(name, 0.0) + time.perf_counter() - started

    def _create(self) -> None:
        new: Mapping[str, Iterable[str]] = _listed(self.base)
        known = self._known
        if known:
            with self._step("look"):
                looked = self._look_at_files(new)
            new, known = _differing(looked, known), looked
        with self._step("read"):
            read = self._read_files(new)
        self._backups.mkdir(exist_ok=True)
        self._known = known or read
        self._write_archive(self._size * _bytes(read) // max(_bytes(self._known), 1))

    def _write_archive(self, new_bytes: int) -> None:
        """Write so many bytes, copy the others from the last archive, and sync."""
        last, self._made = self._archive, self._made + 1
        partial = self._backups / "partial"
        with partial.open("xb", buffering=0) as file:
            with self._step("write"):
                if last.exists():
                    with last.open("rb", buffering=0) as source:
                        _copy(source.fileno(), file.fileno(), self._size - new_bytes)
                else:
                    new_bytes = self._size
                for start in range(0, new_bytes, _CHUNK):
                    file.write(bytes(min(_CHUNK, new_bytes - start)))
            with self._step("sync"):
                os.fsync(file.fileno())
                partial.rename(self._archive)
                sync_file(os.fspath(self._backups))

    @property
    def _archive(self) -> Path:
        return self._backups / str(self._made)

    def _read_archive(self) -> None:
        with self._step("archive"):
            _read(self._backups, [self._archive.name])

    def _read_files(self, names: Mapping[str, Iterable[str]]) -> _Looked:
        """Read these, by folder."""
        return {folder: _read(self.base / folder, of_it) for folder, of_it in names.items()}

    def _look_at_files(self, names: Mapping[str, Iterable[str]]) -> _Looked:
        """Look at these, by folder."""
        return {folder: _look(self.base / folder, of_it) for folder, of_it in names.items()}

    def _list(self) -> None:
        with self._step("look"):
            names = _look(self._backups, os.listdir(self._backups))
        with self._step("read"):
            folder = _opened(self._backups)
            for name in names:
                file = os.open(name, os.O_RDONLY, dir_fd=folder)
                os.pread(file, _HEAD_BYTES, 0)
                os.close(file)
            os.close(folder)

    def _restore(self) -> None:
        self._read_archive()
        with self._step("read"):
            live = self._read_files(_listed(self.base))
        wanted, found = _saved(self._known), _saved(live)
        differing = _differing(wanted, found)
        for folder in differing:
            self._renew(folder, wanted[folder], found.get(folder, {}))
        if differing:
            self._known = self._look_at_files(_listed(self.base))

    def _renew(
        self, name: str, wanted: Mapping[str, tuple[int, int]], live: Mapping[str, tuple[int, int]]
    ) -> None:
        """Make a folder anew beside the old one, and let it take the old one's place."""
        old, new = self.base / name, self.base / f"{name}.new"
        new.mkdir(parents=True)
        equal = [file for file, facts in wanted.items() if live.get(file) == facts]
        with self._step("link"):
            source, target = (_opened(old) if equal else -1), _opened(new)
            for file in equal:
                os.link(file, file, src_dir_fd=source, dst_dir_fd=target)
        with self._step("write"):
            for file in wanted.keys() - set(equal):
                _write(file, wanted[file][0], target)
        with self._step("sync"):
            sync_tree(target, [*wanted.keys() - set(equal)])
        with self._step("unlink"):
            if old.exists():
                _keep_folders(old, new)
                old.rename(old.with_name("old"))
                remove_tree(old.with_name("old"))
            new.rename(old)


def _listed(base: Path) -> Mapping[str, list[str]]:
    """Return the names of all files, by folder."""
    listed: dict[str, list[str]] = {}
    waiting = roots_in(base)
    while waiting:
        folder = waiting.pop()
        listed[folder] = []
        with os.scandir(base / folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(f"{folder}/{entry.name}")
                else:
                    listed[folder].append(entry.name)
    return listed


def _look(path: Path, names: Iterable[str]) -> Mapping[str, _Facts]:
    """Return the facts of files of a folder."""
    folder = _opened(path)
    looked = {name: _facts(os.stat(name, dir_fd=folder, follow_symlinks=False)) for name in names}
    os.close(folder)
    return looked


def _facts(status: os.stat_result) -> _Facts:
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _bytes(looked: _Looked) -> int:
    return sum(facts[1] for names in looked.values() for facts in names.values())


def _saved(looked: _Looked) -> _Saved:
    return {
        folder: {name: (size, mtime) for name, (_, size, mtime, _) in names.items()}
        for folder, names in looked.items()
    }


def _differing(
    these: Mapping[str, Mapping[str, _T]], those: Mapping[str, Mapping[str, _T]]
) -> Mapping[str, Mapping[str, _T]]:
    """Return the files of `these` that `those` has not, or has otherwise."""
    differing = {
        folder: {
            name: facts for name, facts in names.items() if those.get(folder, {}).get(name) != facts
        }
        for folder, names in these.items()
    }
    return {folder: names for folder, names in differing.items() if names}


def _read(path: Path, names: Iterable[str]) -> Mapping[str, _Facts]:
    """Read files of a folder, and return their facts."""
    read = {}
    folder = _opened(path)
    for name in names:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=folder)
        status = os.fstat(file)
        for start in range(0, status.st_size, _CHUNK):
            os.read(file, min(status.st_size - start, _CHUNK))
        os.close(file)
        read[name] = _facts(status)
    os.close(folder)
    return read


def _write(name: str, size: int, folder: int) -> None:
    """Make a file of so many bytes in an open folder."""
    file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600, dir_fd=folder)
    for start in range(0, size, _CHUNK):
        os.write(file, bytes(min(_CHUNK, size - start)))
    os.close(file)


def _copy(source: int, target: int, size: int) -> None:
    while size > 0 and (copied := os.copy_file_range(source, target, size)):
        size -= copied


def _keep_folders(old: Path, new: Path) -> None:
    for child in old.iterdir():
        if child.is_dir():
            child.rename(new / child.name)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
