"""A restore is one file: {base}/.undo.tar has what was there, and while it is there it counts.

It gets its name in one step, by a link to a file that had none, and loses it in one step. What
is between is written where it is, and whoever finds the file unpacks it.
"""

from __future__ import annotations

import errno
import io
import os
import re
import tarfile
import time
from contextlib import suppress
from pathlib import Path

from mutants.durable.plain import Plain, fill_tree, make_folder, reported, write_file
from mutants.in_place import is_folder, is_there, remove
from mutants.model import BackupInfo, Entry, RestoreReport
from mutants.syncing import settle_folder, sync
from mutants.tar_gz import ROOTS

_UNDO = ".undo.tar"
_PARTIAL = ".partial"


class OneFile(Plain):
    """Archives have hexadecimal names, and one flock of the base keeps other calls out."""

    own = re.compile(r"t([0-9a-f]{16})n([0-9a-f]{4})\.tar\.gz", re.ASCII)

    def name(self, seconds: int, number: int) -> str:
        return f"t{seconds:016x}n{number:04x}"

    def numbers(self, match: re.Match[str]) -> tuple[int, int]:
        return int(match[1], 16), int(match[2], 16)

    # Create ------------------------------------------------------------------

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        with self.locked(base):
            self.recover(base)
            self.require_tables(base)
            content = self.compress(self.pack(self.source(base)))
            going = self.surplus(base)
            made = self.next_archive(base, now_ns)
            if not is_there(made.path.parent):
                made.path.parent.mkdir(0o700)
                sync(base)
            self.write_at_once(base / _PARTIAL, content, made.path)
            try:
                info = self.info_of(made)
                for archive in going[:1]:
                    archive.path.unlink()
            except OSError:  # Ctrl-C may come when one is gone: then the new one stays
                made.path.rename(base / _PARTIAL)
                with suppress(OSError):
                    (base / _PARTIAL).unlink()
                raise
            for archive in going[1:]:
                with suppress(OSError):
                    archive.path.unlink()
            with suppress(OSError):
                sync(made.path.parent)
            return info

    def write_at_once(self, partial: Path, content: bytes, path: Path) -> None:
        """Has a file there with all of its content, for good, or not at all."""
        try:
            with open(partial, "xb", opener=_privately) as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.rename(path)
            try:
                sync(path.parent)
            except BaseException:
                path.rename(partial)
                raise
        except BaseException:
            with suppress(OSError):
                remove(partial)
            raise

    # Restore -----------------------------------------------------------------

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        started, base = time.monotonic_ns(), Path(base_path)
        with self.locked(base):
            self.recover(base)
            entries = self.picked(base, target_timestamp)
            _try_times(base)
            self.write_at_once(base / _PARTIAL, _packed(base), base / _UNDO)
            try:
                clear(base)
                fill_tree(base, entries)
                self.forget(base)
            except BaseException:
                with suppress(OSError):
                    self.recover(base)
                raise
            with suppress(OSError):
                remove(base / _PARTIAL)
            return reported(entries, started)

    def forget(self, base: Path) -> None:
        (base / _UNDO).rename(base / _PARTIAL)
        try:
            sync(base)
        except BaseException:
            (base / _PARTIAL).rename(base / _UNDO)
            raise

    def recover(self, base: Path) -> None:
        undo = base / _UNDO
        if is_there(undo):
            content = _read(undo)
            if content is not None:
                clear(base)
                with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as tar:
                    _unpack_all(base, tar)
                self.forget(base)
        remove(undo)
        remove(base / _PARTIAL)


def _try_times(base: Path) -> None:
    """Where a file system knows no times, nothing that is cleared comes back as it was."""
    status = base.stat()
    os.utime(base, ns=(status.st_atime_ns, status.st_mtime_ns))


def clear(base: Path) -> None:
    """Empties the roots; one that is a mount point, or has one below, keeps that."""
    for root in ROOTS:
        _clear(base / root)


def _clear(path: Path) -> None:
    if not is_folder(path):
        remove(path)
        return
    path.chmod(0o700)
    for child in list(path.iterdir()):
        _clear(child)
    try:
        path.rmdir()
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.ENOTEMPTY):
            raise


def _packed(base: Path) -> bytes:
    """All that is there, symlinks and FIFOs among it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for root in ROOTS:
            if is_there(base / root):
                tar.add(base / root, root)
    return file.getvalue()


def _unpack_all(base: Path, tar: tarfile.TarFile) -> None:
    folders = []
    for member in tar:
        path = base / member.name
        if member.isdir():
            make_folder(path)
            folders.append((path, member))
        elif member.isreg() or member.islnk():
            content = tar.extractfile(member)
            assert content is not None
            write_file(path, Entry("", False, member.mode, member.mtime, content.read()))
        elif member.issym():
            path.symlink_to(member.linkname)
        else:
            tar.extract(member, base, filter="fully_trusted")
    for path, member in reversed(folders):
        settle_folder(path, member.mode, (member.mtime, member.mtime))
    sync(base)


def _privately(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _read(undo: Path) -> bytes | None:
    """What it holds, if it is a file of ours: others may have put anything there."""
    if undo.is_symlink() or not undo.is_file() or undo.stat().st_nlink != 1:
        return None
    content = undo.read_bytes()
    return content if content.startswith(b"tables") or b"ustar" in content[:512] else None
