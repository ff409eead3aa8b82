"""Copying a base's backups to a far end.

A copy is planned first, which sends nothing; then it sends; and only where nothing has failed,
and all that is to stay was read back, does it drop what `keep` leaves no room for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO

from reedbase_backup import catalogue
from reedbase_backup.archive.reader import ArchiveReader
from reedbase_backup.catalogue import BackupName
from reedbase_backup.disk.base_lock import open_base
from reedbase_backup.disk.folders import close
from reedbase_backup.errors import ReedError, translated
from reedbase_backup.meter import Meter
from reedbase_backup.picks import Pick
from reedbase_backup.remote import checksums
from reedbase_backup.remote.errors import OtherArchive, RemoteError, TransferDamaged
from reedbase_backup.remote.folders import named_later
from reedbase_backup.remote.listing import archives
from reedbase_backup.remote.opening import open_store
from reedbase_backup.remote.stores import CHUNK, Source, Store, digest
from reedbase_backup.remote.urls import Place, place
from reedbase_backup.types import BasePath


@dataclass(frozen=True, slots=True)
class Copied:
    """What became of one backup of the base."""

    id: str
    timestamp: int
    """Unix seconds."""
    size_bytes: int
    state: str
    """`copied`, `there` (it was, and is right), or `failed`."""
    error: ReedError | RemoteError | None = None
    """Why it failed: it is damaged here, another has its id there, or it does not arrive."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """What a copy did."""

    backups: list[Copied]
    """Newest first; without those that `keep` leaves no room for."""
    dropped: list[str]
    """The ids of what was deleted at the far end."""

    @property
    def has_failed(self) -> bool:
        """Whether a backup is not there as it is here."""
        return any(backup.error is not None for backup in self.backups)


def copy_backups(
    base_path: BasePath,
    url: str,
    picks: Sequence[Pick] = (),
    *,
    keep: int | None = None,
    meter: Meter | None = None,
) -> CopyReport:
    """Copy backups of the database at `base_path` to `url`: those to `picks`, or all.

    Of those that are there already nothing is sent. With `keep`, only so many, the newest,
    are there in the end; without, nothing is ever deleted. Raise RemoteError where the far
    end fails, ReedError where backups/ cannot be read, what `picks` raise where one is none.
    """
    copy = Copy(base_path, url, picks, keep=keep)
    backups = copy.send(meter or Meter())
    surplus = copy.surplus()
    copy.drop(surplus)
    return CopyReport(backups, [name.id for name in surplus])


@dataclass(slots=True)
class Copy:
    """A copy, planned when it is made."""

    base_path: BasePath
    url: str
    picks: Sequence[Pick] = ()
    keep: int | None = None
    place: Place = field(init=False)
    has_failed: bool = field(init=False, default=False)
    """Whether a backup was not sent, or is not there as it is here."""
    _store: Store = field(init=False)
    _base: str = field(init=False)
    _held: dict[str, int] = field(init=False)
    _sums: dict[BackupName, str] = field(init=False)
    _names: dict[BackupName, int] = field(init=False)
    _checked: int = field(init=False, default=0)
    """Bytes of the archives that were read through here."""
    _checking: Callable[[], int] = field(init=False, default=int)
    """How much of the one is read that is read through just now."""

    def __post_init__(self) -> None:
        self._base = os.fsdecode(self.base_path)
        self.place = place(self.url)
        with translated("copy"):
            # A slip must not look like a base without backups.
            close(open_base(self._base))
            here = catalogue.archive_names(self._base)
        wanted = {pick(here) for pick in self.picks} if self.picks else {*here}
        self._store = open_store(self.place)
        self._held = self._store.sizes()
        there = archives(self._held)
        self._sums = checksums.read(self._store, there, self._held)
        if self.keep is not None:
            # What would be dropped at once is not sent.
            wanted &= set(sorted({*self._sums, *wanted}, reverse=True)[: self.keep])
        self._names = {
            name: size
            for name in sorted(wanted, reverse=True)
            if (size := _size(self._base, name)) is not None
        }

    @property
    def total_bytes(self) -> int:
        """How much is read here, goes to the far end, and comes back to be compared."""
        return sum(
            size * (3 if name.file_name not in self._held else 1)
            for name, size in self._names.items()
            if name not in self._sums
        )

    @property
    def to_send(self) -> list[BackupName]:
        """The backups that are not there, newest first."""
        return [name for name in self._names if name.file_name not in self._held]

    @property
    def bytes_to_send(self) -> int:
        """How much goes to the far end."""
        return sum(self._names[name] for name in self.to_send)

    def send(self, meter: Meter) -> list[Copied]:
        """Send what is not there, and read back what nobody has, yet."""
        meter.watch(lambda: self._checked + self._checking() + self._store.moved)
        results = []
        for name, size in self._names.items():
            try:
                state = self._settle(name)
            except (ReedError, OtherArchive, TransferDamaged) as error:
                if isinstance(error.__cause__, FileNotFoundError):
                    # A backup that runs meanwhile has pruned it.
                    continue
                results.append(Copied(name.id, name.timestamp, size, "failed", error))
                self.has_failed = True
            else:
                results.append(Copied(name.id, name.timestamp, size, state))
        meter.settle()
        self._remove_leftovers({one.id for one in results if one.error is None})
        return results

    def surplus(self) -> list[BackupName]:
        """Return what `keep` leaves no room for, newest first; nothing if anything has failed.

        Archives that nobody has read back neither count nor go.
        """
        if self.keep is None or self.has_failed:
            return []
        held = self._store.sizes()
        return self._beyond(checksums.read(self._store, archives(held), held))

    def expected_surplus(self) -> list[BackupName]:
        """Return what `surplus` will be if nothing fails."""
        return [] if self.keep is None else self._beyond({*self._sums, *self._names})

    def drop(self, names: Sequence[BackupName]) -> None:
        """Delete archives at the far end, oldest first, and their checksums after them."""
        for name in sorted(names):
            self._store.remove(name.file_name)
            self._store.remove(checksums.file_name(name))

    def _beyond(self, names: Iterable[BackupName]) -> list[BackupName]:
        return sorted(names, reverse=True)[self.keep :]

    def _settle(self, name: BackupName) -> str:
        """See to it that `name` is there as it is here, and return what that took."""
        path = catalogue.archive_path(self._base, name)
        with translated("copy", path), catalogue.open_archive(self._base, name) as file:
            if name.file_name in self._held:
                source = _source(path, file)
                self._compare(name, source, self._held[name.file_name])
                return "there"
            # What is damaged would only take the place of what is not.
            self._checking = file.tell
            ArchiveReader(file, name.file_name).read_through()
            self._checking, self._checked = int, self._checked + self._names[name]
            source = _source(path, file)
            try:
                self._store.publish(name.file_name, source)
            except FileExistsError:
                # Another copy was first.
                self._compare(name, source, self._store.sizes().get(name.file_name, source.size))
                return "there"
            checksums.write(self._store, name, source.sha256)
            return "copied"

    def _compare(self, name: BackupName, source: Source, size: int) -> None:
        """Raise OtherArchive where the archive of that name there is another one."""
        noted = self._sums.get(name)
        is_same = size == source.size and noted in (None, source.sha256)
        if is_same and noted is None:
            is_same = digest(self._store.chunks(name.file_name)) == source.sha256
            if is_same:
                checksums.write(self._store, name, source.sha256)
        if not is_same:
            raise OtherArchive(
                f"{self.place} has another archive {name.file_name}; it was not overwritten",
                "compare the two; move that one away, or copy to another folder",
            )

    def _remove_leftovers(self, settled: Collection[str]) -> None:
        """Remove what copies that were cut off have left of what is `settled`, or no backup here.

        Another copy, that fills such a file just now, finds it gone, and fills one anew.
        """
        with translated("copy"):
            here = {name.id for name in catalogue.archive_names(self._base)}
        for partial in self._held:
            later = named_later(partial)
            name = BackupName.parse(later.removesuffix(checksums.SUFFIX)) if later else None
            if name is not None and (name.id in settled or name.id not in here):
                self._store.remove(partial)


def _size(base: str, name: BackupName) -> int | None:
    try:
        with translated("copy"):
            return os.stat(catalogue.archive_path(base, name), follow_symlinks=False).st_size
    except ReedError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            return None
        raise


def _source(path: str, file: IO[bytes]) -> Source:
    def chunks(offset: int) -> Iterator[bytes]:
        with translated("copy", path):
            while chunk := os.pread(file.fileno(), CHUNK, offset):
                yield chunk
                offset += len(chunk)

    return Source(path, os.fstat(file.fileno()).st_size, digest(chunks(0)), chunks)
