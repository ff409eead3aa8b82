"""Which backups a far end has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from reedbase_backup.catalogue import BackupName
from reedbase_backup.remote import checksums
from reedbase_backup.remote.opening import open_store
from reedbase_backup.remote.urls import place


@dataclass(frozen=True, slots=True)
class FarBackup:
    """One archive at a far end."""

    id: str
    timestamp: int
    """Unix seconds."""
    size_bytes: int
    sha256: str | None
    """What it had when it was read back there; None where it has not been, yet."""


def list_remote(url: str) -> list[FarBackup]:
    """Return the backups at `url`, newest first. Raise RemoteError."""
    store = open_store(place(url))
    held = store.sizes()
    names = archives(held)
    sums = checksums.read(store, names, held)
    return [
        FarBackup(name.id, name.timestamp, size, sums.get(name)) for name, size in names.items()
    ]


def archives(held: Mapping[str, int]) -> dict[BackupName, int]:
    """Return what of `held` has a backup's name, with its size, newest first."""
    names = {name: size for file, size in held.items() if (name := BackupName.parse(file))}
    return {name: names[name] for name in sorted(names, reverse=True)}
