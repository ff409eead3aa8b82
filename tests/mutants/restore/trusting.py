"""Mutants in hostile archives: what must be refused is written, or passed over."""

from __future__ import annotations

import os
import tarfile
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Archive, Entry, ReedError
from mutants.tar_gz import ROOTS, Members


class _Lax(Conforming):
    """Does `instead` with members that the conforming one refuses, and admits the rest."""

    breaks = "restore/hostile"

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        raise NotImplementedError

    def instead(self, base: Path, member: tarfile.TarInfo, content: bytes) -> None:
        """By default the member is passed over."""

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        for member, content in members:
            if self.is_trusted(member):
                self.instead(archive.path.parent.parent, member, content)
        return super().admitted(archive, [m for m in members if not self.is_trusted(m[0])])


class AbsolutePaths(_Lax):
    """A file with an absolute path is written there."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.name.startswith("/")

    def instead(self, base: Path, member: tarfile.TarInfo, content: bytes) -> None:
        Path(member.name).write_bytes(content)


class RelativisedPaths(_Lax):
    """An absolute path is taken for a relative one, and passed over as none of ours."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.name.startswith("/")


class ParentPaths(_Lax):
    """.. in a path is followed."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return ".." in member.name.split("/")

    def instead(self, base: Path, member: tarfile.TarInfo, content: bytes) -> None:
        (base / member.name).write_bytes(content)


class LooksAtTheFirstName(_Lax):
    """.. is refused at the beginning of a path only."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.name.startswith(ROOTS) and "/../" in member.name

    def instead(self, base: Path, member: tarfile.TarInfo, content: bytes) -> None:
        (base / member.name).write_bytes(content)


class StaysInTheBase(_Lax):
    """A path may lead anywhere within the base."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        normal = os.path.normpath(member.name)
        return ".." in member.name.split("/") and not normal.startswith("..")

    def instead(self, base: Path, member: tarfile.TarInfo, content: bytes) -> None:
        (base / member.name).write_bytes(content)


class SymlinksArePassedOver(_Lax):
    """A symlink is left out, and the rest restored."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.issym()


class SymlinksAreMade(_Lax):
    """A symlink is made as it stands in the archive."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.issym()

    def instead(self, base: Path, member: tarfile.TarInfo, content: bytes) -> None:
        os.symlink(member.linkname, base / "tables" / Path(member.name).name)


class HardLinksOutside(_Lax):
    """A hard link to a file outside is made."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.islnk() and not member.linkname.startswith(ROOTS)

    def instead(self, base: Path, member: tarfile.TarInfo, content: bytes) -> None:
        os.link(base / member.linkname, base / "tables" / "linked")


class HardLinksArePassedOver(_Lax):
    """A hard link that leads nowhere is left out."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.islnk() and not member.linkname.startswith(ROOTS)


class DevicesArePassedOver(_Lax):
    """Devices and FIFOs are left out, and the rest restored."""

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return member.isdev()


class DevicesAreFiles(_Lax):
    """A device is restored as an empty file."""

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        for member, _ in members:
            if member.isdev():
                member.type = tarfile.REGTYPE
        return Conforming.admitted(self, archive, members)

    def is_trusted(self, member: tarfile.TarInfo) -> bool:
        return False


class LastOneWins(Conforming):
    """Of two members of one name, the later is restored."""

    breaks = "restore/hostile"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        return super().admitted(archive, {m.name: (m, c) for m, c in members}.values())


class FirstOneWins(Conforming):
    """Of two members of one name, the earlier is restored."""

    breaks = "restore/hostile"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        first = {member.name: (member, content) for member, content in [*members][::-1]}
        return super().admitted(archive, [*first.values()][::-1])


class SizesAreHints(Conforming):
    """A file that claims more bytes than there are gets those that there are."""

    breaks = "restore/corrupt"

    def unpack(self, archive: Archive, data: bytes) -> Members:
        try:
            return super().unpack(archive, data)
        except ReedError:
            return self.readable(data)

    def readable(self, data: bytes) -> Members:
        """As many members as can be read."""
        at = 0
        while data[at : at + 512].strip(b"\0"):
            member = tarfile.TarInfo.frombuf(data[at : at + 512], "utf-8", "surrogateescape")
            size = min(max(member.size, 0), len(data) - at - 512)
            yield member, data[at + 512 : at + 512 + size]
            at += 512 - -size // 512 * 512


class AnsweredButWritten(Conforming):
    """A hostile archive is refused, after its sound members were restored."""

    breaks = "restore/hostile"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        try:
            return super().admitted(archive, members)
        except ReedError as error:
            if error.kind == "BackupUnsafe":
                (archive.path.parent.parent / "tables" / "text" / "current.csv").write_bytes(b"")
            raise
