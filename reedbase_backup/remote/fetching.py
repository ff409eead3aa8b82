"""Restoring from a far end: the archive is fetched, verified whole, and restored as any other.

Into a base, it is fetched into backups/, and stays there as one of its backups: under its name
once it is whole and its reader finds nothing wrong. A cut-off fetch is continued by the next, or
removed by the next create. Into a folder of its own, it is fetched beside that, and removed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from tempfile import TemporaryDirectory

from reedbase_backup import catalogue
from reedbase_backup.archive.reader import ArchiveReader
from reedbase_backup.catalogue import BackupName
from reedbase_backup.disk.durable import sync_file
from reedbase_backup.disk.existence import folder_exists, name_exists
from reedbase_backup.disk.sharing import PRIVATE_FOLDER
from reedbase_backup.elsewhere import restore_elsewhere
from reedbase_backup.errors import BackupCorrupted, IoError, from_os_error, translated
from reedbase_backup.meter import Meter
from reedbase_backup.picks import Pick, by_id
from reedbase_backup.remote import checksums
from reedbase_backup.remote.errors import OtherArchive, TransferDamaged
from reedbase_backup.remote.folders import Folder
from reedbase_backup.remote.listing import archives
from reedbase_backup.remote.local_files import LocalFiles
from reedbase_backup.remote.opening import open_store
from reedbase_backup.remote.stores import CHUNK, Source, Store, digest
from reedbase_backup.remote.urls import Place, place
from reedbase_backup.restore import restore_picked
from reedbase_backup.types import BasePath, RestoreReport


def restore_from(
    url: str,
    base_path: BasePath,
    pick: Pick,
    *,
    target_path: BasePath | None = None,
    meter: Meter | None = None,
) -> tuple[BackupName, RestoreReport]:
    """Restore the backup to `pick` at `url` into the database at `base_path`, and return its name.

    The database may be gone: where nothing is at `base_path`, or an empty folder, it is made
    anew, closed to others. With `target_path`, restore into that folder instead, as
    `restore_elsewhere` does, and leave `base_path` alone.

    Raise RemoteError where the far end fails, what `pick` raises where it means none, and what
    a restore raises.
    """
    far = FarEnd(url)
    name = pick(far.names)
    if target_path is not None:
        with folder_beside(target_path) as aside:
            far.fetch(name, aside)
            return restore_elsewhere(aside, by_id(name.id), target_path, meter)
    far.fetch(name, base_path)
    return restore_picked(base_path, by_id(name.id), meter)


@dataclass(slots=True)
class FarEnd:
    """The backups at a URL, as they were when this was made."""

    url: str
    names: list[BackupName] = field(init=False)
    """Newest first."""
    place: Place = field(init=False)
    _store: Store = field(init=False)
    _sizes: dict[BackupName, int] = field(init=False)
    _held: dict[str, int] = field(init=False)

    def __post_init__(self) -> None:
        self.place = place(self.url)
        self._store = open_store(self.place)
        self._held = self._store.sizes()
        self._sizes = archives(self._held)
        self.names = [*self._sizes]

    def size(self, name: BackupName) -> int:
        """Return the size of an archive there."""
        return self._sizes[name]

    def fetch(self, name: BackupName, base_path: BasePath, meter: Meter | None = None) -> None:
        """Have the archive `name` in the base's backups/, which is made where it is gone.

        Raise OtherArchive where backups/ has another one of that name, BackupCorrupted or
        BackupUnsafe where this one is not to be restored, IoError where there is something
        else than a database.
        """
        base = os.fsdecode(base_path)
        with _made(base):
            self._fetch(name, base, meter or Meter())

    def _fetch(self, name: BackupName, base: str, meter: Meter) -> None:
        meter.watch(lambda: self._store.moved)
        noted = checksums.read(self._store, [name], self._held).get(name)
        # Without one, it is read once more, to know what it is that arrives.
        sha256 = noted or digest(self._store.chunks(name.file_name))
        backups = catalogue.backups_folder(base)
        folder = Folder(LocalFiles(backups), _local_errors)
        source = Source(
            "", self.size(name), sha256, lambda offset: self._store.chunks(name.file_name, offset)
        )
        if folder.sizes().get(name.file_name) is not None:
            self._compare(name, base, sha256)
            return
        try:
            folder.publish(name.file_name, source, lambda partial: _inspect(backups, partial, name))
        except FileExistsError:
            self._compare(name, base, sha256)
        except TransferDamaged as error:
            reason = f"at {self.place}, it has not the SHA-256 that it had when it was copied"
            raise BackupCorrupted(name.file_name, reason) from error

    def _compare(self, name: BackupName, base: str, sha256: str) -> None:
        """Raise OtherArchive where the archive of that name here is another one."""
        path = catalogue.archive_path(base, name)
        with translated("restore", path), catalogue.open_archive(base, name) as file:
            is_same = digest(iter(lambda: file.read(CHUNK), b"")) == sha256
        if not is_same:
            raise OtherArchive(
                f"{path} is another archive than the one at {self.place}, or is damaged",
                "move it away, and call it again",
            )


@contextmanager
def folder_beside(target_path: BasePath) -> Iterator[str]:
    """Yield a private folder beside the target, to fetch into; it is there only meanwhile."""
    above, own = os.path.split(os.path.abspath(os.fsdecode(target_path)))
    with translated("restore", above):
        aside = TemporaryDirectory(prefix=f".{own}.reedbackup-", dir=above)
    with aside as folder:
        yield folder


def _inspect(backups: str, partial: str, name: BackupName) -> None:
    path = os.path.join(backups, partial)
    try:
        with open(path, "rb") as file:
            ArchiveReader(file, name.file_name).read_through()
    except BaseException:
        # It is all that the far end has: to be fetched again, not continued.
        with suppress(OSError):
            os.unlink(path)
        raise


@contextmanager
def _local_errors() -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise
    except OSError as error:
        raise from_os_error(error, "restore") from error


@contextmanager
def _made(base: str) -> Iterator[None]:
    """Have a folder at `base` to restore into; one that was not there goes if that fails."""
    with translated("restore", base):
        is_new = not name_exists(base)
        if is_new:
            os.mkdir(base, PRIVATE_FOLDER)
            sync_file(os.path.dirname(os.path.abspath(base)))
        else:
            _check_base(base)
    try:
        yield
    except BaseException:
        if is_new:
            with suppress(OSError):
                os.rmdir(catalogue.backups_folder(base))
            with suppress(OSError):
                os.rmdir(base)
        raise


def _check_base(base: str) -> None:
    """Raise IoError where a database is not, and something else is."""
    if not folder_exists(base):
        raise IoError("open_base", f"{base} is not a folder")
    names = os.listdir(base)
    if names and not {"tables", "backups"} & {*names}:
        raise IoError("restore_base", f"{base} is no database, and not empty")
