"""Mutants in archives of others: sound ones refused, unsound or hostile ones let through."""

from __future__ import annotations

import tarfile

from mutants.conforming import Conforming
from mutants.model import Archive, Entry, ReedError, corrupted, unsafe
from mutants.restore.trusting import _Lax
from mutants.tar_gz import ROOTS, Members


class NoDotSlash(Conforming):
    """Members named ./tables/… are refused."""

    breaks = "restore/foreign-archive"

    def unpack(self, archive: Archive, data: bytes) -> Members:
        for member, content in super().unpack(archive, data):
            if member.name.startswith("./"):
                raise corrupted(archive, f"{member.name} is none of ours")
            yield member, content


class NameOnly(Conforming):
    """A gzip header with more than a name in it is refused."""

    breaks = "restore/foreign-archive"

    def decompress(self, archive: Archive) -> bytes:
        flags = archive.path.read_bytes()[3:4] or b"\0"
        if flags[0] & ~0x08:
            raise corrupted(archive, "its header is odd")
        return super().decompress(archive)


class FallsBackToTheSafe(Conforming):
    """Where the backup to take is hostile, the one before is restored."""

    breaks = "restore/hostile"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        return super().pick([a for a in archives if self.is_safe(a)], target)

    def is_safe(self, archive: Archive) -> bool:
        try:
            self.read(archive)
        except ReedError as error:
            return error.kind != "BackupUnsafe"
        return True


class DuplicatesAsWritten(Conforming):
    """Two spellings of one name are two names, of which the later is restored."""

    breaks = "restore/hostile"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        by_name: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
        seen: set[str] = set()
        for member, content in members:
            if member.name in seen and not member.isdir():
                raise unsafe(member.name, "is there twice")
            seen.add(member.name)
            parts = [part for part in member.name.split("/") if part not in ("", ".")]
            by_name["/".join(parts)] = (member, content)
        return super().admitted(archive, by_name.values())


class FoldersWin(Conforming):
    """A file under a folder's name is passed over."""

    breaks = "restore/hostile"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        folders = {member.name for member, _ in members if member.isdir()}
        others = [(m, c) for m, c in members if m.isdir() or m.name not in folders]
        return super().admitted(archive, others)


class RootsMayBeLinks(_Lax):
    """A symlink in the place of indices/ is passed over."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.issym() and member.name in ROOTS


class BlockDevicesArePassedOver(_Lax):
    """Block devices are left out, and the rest restored."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.isblk()


class LongNamesAreTrusted(_Lax):
    """A name of more than 100 bytes is not looked at."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return len(member.name) > 100 and ".." in member.name


class PaxNamesAreTrusted(_Lax):
    """A name from a pax header is not looked at."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return "path" in member.pax_headers and ".." in member.name


class LinksWithinTheBase(Conforming):
    """A hard link may lead to any file of the base."""

    breaks = "restore/hostile"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        self._base = archive.path.parents[1]
        return super().admitted(archive, members)

    def link_target(self, entries: dict[str, Entry], member: tarfile.TarInfo) -> Entry:
        path = self._base / member.linkname
        if member.linkname.startswith("registry/") and path.is_file():
            return Entry(member.name, False, 0o644, 0, path.read_bytes())
        return super().link_target(entries, member)
