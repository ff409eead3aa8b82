"""Mutants in what the archive holds: names, contents, modes and times that are lost."""

from __future__ import annotations

import os
import time
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Archive, Entry
from mutants.tar_gz import Members


class _Picky(Conforming):
    """Leaves out what `wants` does not want."""

    breaks = "create/content"

    def wants(self, entry: Entry) -> bool:
        raise NotImplementedError

    def source(self, base: Path) -> Iterator[Entry]:
        return (entry for entry in super().source(base) if self.wants(entry))


class _Careless(Conforming):
    """Takes the last of several members of one name."""

    breaks = "create/content"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        return super().admitted(archive, {m.name: (m, c) for m, c in members}.values())


class _Distorting(_Careless):
    """Stores `distorted` entries."""

    def distorted(self, entry: Entry) -> Entry:
        raise NotImplementedError

    def source(self, base: Path) -> Iterator[Entry]:
        return (self.distorted(entry) for entry in super().source(base))


class NoEmptyFolders(Conforming):
    """Folders come into the archive only with the files in them."""

    breaks = "create/content"

    def source(self, base: Path) -> Iterator[Entry]:
        entries = list(super().source(base))
        needed = {entry.name.rpartition("/")[0] for entry in entries} | {"tables"}
        return (entry for entry in entries if not entry.is_folder or entry.name in needed)


class NoFolders(_Picky):
    """The archive holds files only, so that folders lose their modes."""

    def wants(self, entry: Entry) -> bool:
        return not entry.is_folder or "/" not in entry.name


class NoEmptyFiles(_Picky):
    """Empty files are left out."""

    def wants(self, entry: Entry) -> bool:
        return entry.is_folder or bool(entry.content)


class NoDotfiles(_Picky):
    """Files whose names begin with a dot are left out."""

    def wants(self, entry: Entry) -> bool:
        return "/." not in entry.name


class NoLockFiles(_Picky):
    """Tables lose their .lock."""

    def wants(self, entry: Entry) -> bool:
        return not entry.name.endswith("/.lock")


class NoTemporaryFiles(_Picky):
    """What looks temporary is left out."""

    def wants(self, entry: Entry) -> bool:
        return not entry.name.endswith(".tmp")


class NoIndices(_Picky):
    """Only tables/ is backed up."""

    def wants(self, entry: Entry) -> bool:
        return entry.name.startswith("tables")


class NoLooseFiles(_Picky):
    """Of tables/ only the folders are backed up, not a file beside them."""

    def wants(self, entry: Entry) -> bool:
        return entry.is_folder or entry.name.count("/") > 1


class NoTableNamedBackups(_Picky):
    """`--exclude=backups` keeps out a table of that name too."""

    def wants(self, entry: Entry) -> bool:
        return "backups" not in entry.name.split("/")


class NoForeignBytes(_Picky):
    """Names that are no UTF-8 are passed over."""

    def wants(self, entry: Entry) -> bool:
        return "\udcff" not in entry.name


class OneLevelOnly(_Picky):
    """Folders within a table are left out."""

    def wants(self, entry: Entry) -> bool:
        return entry.name.count("/") < (2 if entry.is_folder else 3)


class ShortNames(_Distorting):
    """Names are cut to the 100 bytes of an old tar header."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(name=os.fsdecode(os.fsencode(entry.name)[:100]))


class ComposedNames(_Distorting):
    """Names are brought into one Unicode form."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(name=unicodedata.normalize("NFC", entry.name))


class EightMebibytes(_Distorting):
    """Files end after 8 MiB."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(content=entry.content[: 8 * 2**20])


class TextMode(_Distorting):
    """Files are read as text: CRLF becomes LF."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(content=entry.content.replace(b"\r\n", b"\n"))


class NoTrailingZeros(_Distorting):
    """The zeros at the end of a sparse file are lost."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(content=entry.content.rstrip(b"\0"))


class UsualModes(_Distorting):
    """Every file is 0644, every folder 0755."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(mode=0o755 if entry.is_folder else 0o644)


class UmaskedModes(_Distorting):
    """Modes pass a umask of 022 on their way into the archive."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(mode=entry.mode & ~0o022)


class NineBitModes(_Distorting):
    """Set-group-id folders lose that bit."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(mode=entry.mode & 0o777)


class TimesOfTheBackup(_Distorting):
    """Every member's mtime is that of the backup."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(mtime=time.time())


class FolderTimesLost(_Distorting):
    """Folders have no mtime."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(mtime=0) if entry.is_folder else entry


class NoTimesBefore1970(_Distorting):
    """Negative mtimes become 0."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(mtime=max(entry.mtime, 0))


class ThirtyTwoBitTimes(_Distorting):
    """mtimes wrap in 2106."""

    def distorted(self, entry: Entry) -> Entry:
        return entry._replace(mtime=entry.mtime % 2**32 if entry.mtime >= 0 else entry.mtime)


class HardLinksOnce(Conforming):
    """Of a file with two names, the second is stored empty."""

    breaks = "create/content"

    def source(self, base: Path) -> Iterator[Entry]:
        seen: set[int] = set()
        for entry in super().source(base):
            inode = (base / entry.name).stat().st_ino
            yield entry._replace(content=b"") if inode in seen else entry
            seen.add(inode)


class EveryFileTwice(_Careless):
    """Each file is in the archive a second time."""

    def pack(self, entries: Iterable[Entry]) -> bytes:
        entries = list(entries)
        return super().pack([*entries, *(e for e in entries if not e.is_folder)])


class _TakesMore(Conforming):
    """Packs another root too."""

    breaks = "create/content"
    more: str

    def pack(self, entries: Iterable[Entry]) -> bytes:
        return super().pack([*entries, *self._of_more])

    def source(self, base: Path) -> Iterator[Entry]:
        root = base / self.more
        self._of_more = list(self.walk(root, self.more)) if root.is_dir() else []
        return super().source(base)


class RegistryToo(_TakesMore):
    """registry/ is archived as well."""

    more = "registry"


class BackupsToo(_TakesMore):
    """Each archive holds all earlier ones (D3)."""

    more = "backups"
