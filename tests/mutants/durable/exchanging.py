"""Trees change places in one step each, by renameat2; what a kill leaves is taken back.

{base}/.incoming/   being filled
{base}/.exchange/   the same folder when it is whole; `note` has the new trees' inodes, by
                    which the next call sees which trees have changed places
{base}/.outgoing/   done, to be thrown away
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import re
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from mutants.durable.plain import Plain, reported, write_tree
from mutants.in_place import is_folder, is_there, overwrite, remove
from mutants.model import Archive, BackupInfo, RestoreReport
from mutants.mounts import has_mounts_below
from mutants.syncing import copy, mark, sync
from mutants.tar_gz import ROOTS

_LIBC = ctypes.CDLL(None, use_errno=True)
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2
_CANNOT = (errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EINVAL, errno.ENOSYS)
_NEW = ".new-"


class Exchanging(Plain):
    """Archives are linked to their names; it waits for the base as long as it takes."""

    own = re.compile(r"(0|[1-9][0-9]*)_([1-9][0-9]*)\.tar\.gz", re.ASCII)

    def name(self, seconds: int, number: int) -> str:
        return f"{seconds}_{number}"

    # Create ------------------------------------------------------------------

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        with self.locked(base):
            self.recover(base)
            self.require_tables(base)
            content = self.compress(self.pack(self.source(base)))
            backups = base / "backups"
            if not is_there(backups):
                backups.mkdir(0o700)
                sync(base)
            for left in backups.glob(f"{_NEW}*"):
                remove(left)
            going = self.surplus(base)
            made = self.next_archive(base, now_ns)
            info = self.link(content, made, going)
            for archive in going[1:]:
                with suppress(OSError):
                    archive.path.unlink()
            return info

    def link(self, content: bytes, made: Archive, going: list[Archive]) -> BackupInfo | None:
        backups = made.path.parent
        descriptor, name = tempfile.mkstemp(prefix=_NEW, dir=backups)
        try:
            with open(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(descriptor)
            try:
                os.link(name, made.path)
            except OSError:
                os.rename(name, made.path)  # not every file system has links
            try:
                sync(backups)
                info = self.info_of(made)
                for archive in going[:1]:
                    archive.path.unlink()
            except OSError:  # Ctrl-C may come when one is gone: then the new one stays
                os.rename(made.path, f"{name}.back")
                raise
        finally:
            for left in (name, f"{name}.back"):
                with suppress(OSError):
                    os.unlink(left)
            with suppress(OSError):
                sync(backups)
        return info

    # Restore -----------------------------------------------------------------

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        started, base = time.monotonic_ns(), Path(base_path)
        with self.locked(base):
            self.recover(base)
            entries = self.picked(base, target_timestamp)
            incoming, exchange = base / ".incoming", base / ".exchange"
            try:
                write_tree(incoming, entries)
                (incoming / "kept").mkdir(0o700)
                self.write_note(incoming)
                incoming.rename(exchange)
                sync(base)
                for root in ROOTS:
                    self.change_places(base / root, exchange)
                sync(exchange)
                sync(base)
                exchange.rename(base / ".outgoing")
                sync(base)
            except BaseException:
                with suppress(OSError):
                    if is_there(base / ".outgoing") and not is_there(exchange):
                        (base / ".outgoing").rename(exchange)
                    self.recover(base)
                raise
            with suppress(OSError):
                remove(base / ".outgoing")
            return reported(entries, started)

    def write_note(self, incoming: Path) -> None:
        inodes = {r: (incoming / r).stat().st_ino for r in ROOTS if is_there(incoming / r)}
        with (incoming / "note").open("x") as note:
            json.dump(inodes, note)
            note.flush()
            os.fsync(note.fileno())
        sync(incoming)

    def change_places(self, live: Path, exchange: Path) -> None:
        other = exchange / live.name
        try:
            if has_mounts_below(live):
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(live))
            _swap(live, other)
        except OSError as error:
            if error.errno not in _CANNOT:
                raise
            if is_there(live):
                copy(live, exchange / "kept" / live.name)
            mark(exchange / "kept" / f"{live.name}.whole")
            overwrite(live, other)

    def recover(self, base: Path) -> None:
        """Takes back what was begun, and throws away what lies about."""
        exchange, outgoing = base / ".exchange", base / ".outgoing"
        remove(outgoing)
        if self.is_own(exchange):
            inodes = json.loads((exchange / "note").read_text())
            for root in ROOTS:
                self.take_back(base / root, exchange, inodes.get(root))
            sync(exchange)
            sync(base)
            try:
                exchange.rename(outgoing)
            except OSError:
                (exchange / "note").unlink()
        for name in (".incoming", ".exchange", ".outgoing"):
            remove(base / name)

    def is_own(self, exchange: Path) -> bool:
        note = exchange / "note"
        return is_folder(exchange) and note.is_file() and not note.is_symlink()

    def take_back(self, live: Path, exchange: Path, inode: int | None) -> None:
        other, kept = exchange / live.name, exchange / "kept" / live.name
        if is_there(kept.with_name(f"{live.name}.whole")):
            overwrite(live, kept)
        elif is_there(live) and live.lstat().st_ino == inode:
            _swap(live, other)
        elif inode is None and is_there(other) and not is_there(live):
            other.rename(live)


def _swap(one: Path, other: Path) -> None:
    """Has two names change places; where one of them is none, the other's place is that."""
    if is_there(one) and is_there(other):
        _exchange(one, other)
    elif is_there(one):
        one.rename(other)
    elif is_there(other):
        other.rename(one)


def _exchange(one: Path, other: Path) -> None:
    names = (os.fsencode(one), os.fsencode(other))
    if _LIBC.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), str(one))
