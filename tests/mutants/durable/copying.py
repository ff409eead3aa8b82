"""Files are copied into place, while a copy of what was there waits to be needed.

{base}/.making-*/   an archive being written, or an undo copy
{base}/.undo/       what was there: if it is found, it is copied back
{base}/.undone/     to be thrown away
"""

from __future__ import annotations

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from mutants.durable.plain import Plain, reported, write_tree
from mutants.in_place import is_folder, is_there, overwrite, remove
from mutants.locking import let_go
from mutants.model import BackupInfo, Entry, ReedError, RestoreReport, io_errors
from mutants.syncing import copy, mark, sync
from mutants.tar_gz import ROOTS

_MAKING = ".making-"


class Copying(Plain):
    """Where another process works on the base, a call is a LockTimeout at once."""

    own = re.compile(r"([0-9]{20})\+([1-9][0-9]*)\.tar\.gz", re.ASCII)

    def name(self, seconds: int, number: int) -> str:
        return f"{seconds:020}+{number}"

    @contextmanager
    def locked(self, base: Path) -> Iterator[None]:
        with io_errors("lock"):
            try:
                with self.flocked(base, fcntl.LOCK_EX | fcntl.LOCK_NB):
                    yield
            except BlockingIOError:
                raise ReedError("LockTimeout", "busy", table="", timeout_secs=0) from None

    # Create ------------------------------------------------------------------

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        with self.locked(base):
            self.recover(base)
            self.require_tables(base)
            content = self.compress(self.pack(self.source(base)))
            going = self.surplus(base)
            made = self.next_archive(base, now_ns)
            making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=base))
            try:
                self.write(making / "archive", content)
                info = self.info_of(made._replace(path=making / "archive"))
                with suppress(FileExistsError):
                    made.path.parent.mkdir(0o700)
                    sync(base)
                (making / "archive").rename(made.path)
                try:
                    sync(made.path.parent)
                    for archive in going[:1]:
                        archive.path.unlink()
                except OSError:  # Ctrl-C may come when one is gone: then the new one stays
                    made.path.rename(making / "archive")
                    raise
                self.recycle(made.path.parent, [archive.path for archive in going[1:]])
            finally:
                with suppress(OSError):
                    remove(making)
            return info._replace(id=made.id) if info else None

    def write(self, path: Path, content: bytes) -> None:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            left = memoryview(content)
            while left:
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        finally:
            let_go(descriptor)

    def recycle(self, backups: Path, paths: list[Path]) -> None:
        for path in paths:
            with suppress(OSError):
                path.unlink()
        with suppress(OSError):
            sync(backups)

    # Restore -----------------------------------------------------------------

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        started, base = time.monotonic_ns(), Path(base_path)
        with self.locked(base):
            self.recover(base)
            entries = self.picked(base, target_timestamp)
            making = Path(tempfile.mkdtemp(prefix=_MAKING, dir=base))
            try:
                self.install(base, making, entries)
            except BaseException:
                with suppress(OSError):
                    self.bring_back(base)
                raise
            finally:
                with suppress(OSError):
                    remove(making)
                    remove(base / ".undone")
            return reported(entries, started)

    def install(self, base: Path, making: Path, entries: list[Entry]) -> None:
        write_tree(making / "new", entries)
        (making / "undo").mkdir(0o700)
        for root in ROOTS:
            if is_there(base / root):
                copy(base / root, making / "undo" / root)
        mark(making / "undo" / "whole")
        (making / "undo").rename(base / ".undo")
        sync(base)
        for root in ROOTS:
            overwrite(base / root, making / "new" / root)
        sync(base)
        (base / ".undo").rename(base / ".undone")
        try:
            sync(base)
        except BaseException:
            (base / ".undone").rename(base / ".undo")
            raise

    def bring_back(self, base: Path) -> None:
        undo = base / ".undo"
        whole = undo / "whole"
        if is_folder(undo) and whole.is_file() and not whole.is_symlink():
            for root in ROOTS:
                overwrite(base / root, undo / root)
            sync(base)
            undo.rename(base / ".undone")
            sync(base)

    def recover(self, base: Path) -> None:
        remove(base / ".undone")
        self.bring_back(base)
        for path in [base / ".undo", base / ".undone", *base.glob(f"{_MAKING}*")]:
            remove(path)
