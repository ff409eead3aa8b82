"""Other restores: what is refused, how it is said, and what files come back with."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import (
    Archive,
    Entry,
    ReedError,
    RestoreReport,
    corrupted,
    unsafe,
)
from mutants.tar_gz import ROOTS, Members


class RefusesStrangers(Conforming):
    """An archive with links, or with members beside tables/ and indices/, is refused."""

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        for member, _ in members:
            top = member.name.removeprefix("./").split("/")[0]
            if member.islnk() or top not in ROOTS:
                raise unsafe(member.name, "is none of ours")
        return super().admitted(archive, members)


class NoTimes(Conforming):
    """Restored files have the time of the restore."""

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        now = time.time()
        super().write_entries(target, [entry._replace(mtime=now) for entry in entries])


class NineBitFiles(Conforming):
    """Files come back without set-id and sticky bits, folders with them."""

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        files = [e if e.is_folder else e._replace(mode=e.mode & 0o777) for e in entries]
        super().write_entries(target, files)


class NeverRenames(Conforming):
    """Trees are always written anew where they are, under a journal."""

    def has_mounts_below(self, live: Path) -> bool:
        return True


class RoundsUp(Conforming):
    """A restore of 0.1 ms took 1 ms."""

    def report(self, entries: list[Entry], elapsed_ns: int) -> RestoreReport:
        return super().report(entries, elapsed_ns + 999_999)


class OtherWords(Conforming):
    """Errors have other fields and words, and hostile archives are IoErrors."""

    def not_found(self, archives: list[Archive], target: int) -> ReedError:
        oldest = f"Some({archives[-1].timestamp})" if archives else "None"
        return ReedError("BackupNotFound", "nichts", requested={"at": target}, earliest=oldest)

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        try:
            return super().admitted(archive, members)
        except ReedError as error:
            if error.kind == "BackupUnsafe":
                raise ReedError("IoError", "unpack", operation="unpack", reason="odd") from error
            raise

    def decompress(self, archive: Archive) -> bytes:
        try:
            return super().decompress(archive)
        except ReedError as error:
            raise ReedError("BackupCorrupted", "kaputt", id=archive.id) from error

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        raise ReedError("IoError", f"cannot read {path}", operation="walk", reason="odd")


class _Orderly(Conforming):
    """Refuses a member before which `folders` has no folder for it."""

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        entries = super().admitted(archive, members)
        folders = self.folders(entries)
        for number, entry in enumerate(entries):
            above = entry.name.rpartition("/")[0]
            if above and folders.get(above, number) >= number:
                raise corrupted(archive, f"{entry.name} comes before its folder")
        return entries

    def folders(self, entries: list[Entry]) -> dict[str, int]:
        return {entry.name: number for number, entry in enumerate(entries) if entry.is_folder}


class FoldersFirst(_Orderly):
    """A folder must come before what is in it, if it comes at all."""

    def folders(self, entries: list[Entry]) -> dict[str, int]:
        implied = {entry.name.rpartition("/")[0]: -1 for entry in entries}
        return implied | super().folders(entries)


class EveryFolder(_Orderly):
    """A folder that has no member of its own is a damage."""

    def folders(self, entries: list[Entry]) -> dict[str, int]:
        return dict.fromkeys(super().folders(entries), -1)
