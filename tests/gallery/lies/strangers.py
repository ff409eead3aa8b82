"""Lies about archives of others: sound ones refused, unsound or hostile ones let through."""

from __future__ import annotations

import io
import tarfile

from gallery.honest import Honest
from gallery.lies.trusting import _Lax
from gallery.model import Archive, Entry, ReedError, corrupted, unsafe
from gallery.tar_gz import ROOTS, Members


class NoDotSlash(Honest):
    """Members named ./tables/… are refused."""

    breaks = "restore/foreign-archive"

    def unpack(self, archive: Archive, data: bytes) -> Members:
        for member, content in super().unpack(archive, data):
            if member.name.startswith("./"):
                raise corrupted(archive, f"{member.name} is none of ours")
            yield member, content


class _Orderly(Honest):
    """Refuses a member before which `folders` has no folder for it."""

    breaks = "restore/foreign-archive"

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


class NameOnly(Honest):
    """A gzip header with more than a name in it is refused."""

    breaks = "restore/foreign-archive"

    def decompress(self, archive: Archive) -> bytes:
        flags = archive.path.read_bytes()[3:4] or b"\0"
        if flags[0] & ~0x08:
            raise corrupted(archive, "its header is odd")
        return super().decompress(archive)


class EndsAtABadHeader(Honest):
    """A tar ends at a header that its checksum denies, as tarfile has it."""

    breaks = "restore/corrupt"

    def unpack(self, archive: Archive, data: bytes) -> Members:
        try:
            return super().unpack(archive, data)
        except ReedError:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as tar:
                end = (tar.getmembers() or [tarfile.TarInfo()])[-1].offset
            return super().unpack(archive, self.until(data, end))

    def until(self, data: bytes, last: int) -> bytes:
        """The tar up to the end of the member at `last`."""
        member = tarfile.TarInfo.frombuf(data[last : last + 512], "utf-8", "surrogateescape")
        end = last + 512 + -(-member.size // 512) * 512
        return data[:end] + bytes(1024) if end <= len(data) else data


class FallsBackToTheSafe(Honest):
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


class DuplicatesAsWritten(Honest):
    """Two spellings of one name are two names, of which the later is restored."""

    breaks = "restore/hostile"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        found: dict[str, tuple[tarfile.TarInfo, bytes]] = {}
        seen: set[str] = set()
        for member, content in members:
            if member.name in seen and not member.isdir():
                raise unsafe(member.name, "is there twice")
            seen.add(member.name)
            parts = [part for part in member.name.split("/") if part not in ("", ".")]
            found["/".join(parts)] = (member, content)
        return super().admitted(archive, found.values())


class FoldersWin(Honest):
    """A file under a folder's name is passed over."""

    breaks = "restore/hostile"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        folders = {member.name for member, _ in members if member.isdir()}
        kept = [(m, c) for m, c in members if m.isdir() or m.name not in folders]
        return super().admitted(archive, kept)


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


class LinksWithinTheBase(Honest):
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
