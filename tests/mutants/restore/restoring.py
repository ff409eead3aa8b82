"""Mutants in what a restore leaves: too little, too much, not as it was."""

from __future__ import annotations

import os
from pathlib import Path

from mutants.conforming import Conforming
from mutants.in_place import remove
from mutants.model import Entry, ReedError
from mutants.tar_gz import ROOTS


class _Selecting(Conforming):
    """Restores only some of what the backup holds."""

    breaks = "restore/exact-tree"

    def wants(self, entry: Entry) -> bool:
        raise NotImplementedError

    def install(self, base: Path, entries: list[Entry]) -> None:
        super().install(base, [entry for entry in entries if self.wants(entry)])


class RestoresNothing(Conforming):
    """A restore reads the archive, reports it, and leaves the trees alone."""

    breaks = "restore/exact-tree"

    def install(self, base: Path, entries: list[Entry]) -> None:
        pass


class NoIndices(_Selecting):
    """indices/ is emptied, to be built again some day."""

    def wants(self, entry: Entry) -> bool:
        return entry.name == "indices" or entry.name.startswith("tables")


class NoEmptyFolders(Conforming):
    """Folders come back only with files in them."""

    breaks = "restore/exact-tree"

    def install(self, base: Path, entries: list[Entry]) -> None:
        full = {entry.name.rpartition("/")[0] for entry in entries} | set(ROOTS)
        super().install(base, [e for e in entries if not e.is_folder or e.name in full])


class NoEmptyFiles(_Selecting):
    """Empty files do not come back."""

    def wants(self, entry: Entry) -> bool:
        return entry.is_folder or bool(entry.content)


class NoDotfiles(_Selecting):
    """Files whose names begin with a dot do not come back."""

    def wants(self, entry: Entry) -> bool:
        return entry.is_folder or not entry.name.rpartition("/")[2].startswith(".")


class NoLooseFiles(_Selecting):
    """Files directly in tables/ do not come back."""

    def wants(self, entry: Entry) -> bool:
        return entry.is_folder or entry.name.count("/") > 1 or entry.name.startswith("indices")


class NoLongNames(_Selecting):
    """Names of more than 100 bytes do not come back."""

    def wants(self, entry: Entry) -> bool:
        return len(os.fsencode(entry.name)) <= 100


class _InPlace(Conforming):
    """Writes into the live trees instead of replacing them."""

    breaks = "restore/exact-tree"

    def install(self, base: Path, entries: list[Entry]) -> None:
        self.make_room(base, entries)
        for entry in entries:
            if entry.is_folder:
                (base / entry.name).mkdir(parents=True, exist_ok=True)
            elif self.needs(base / entry.name, entry):
                self.write_file(base / entry.name, entry)
        for entry in reversed(entries):
            (base / entry.name).chmod(entry.mode)

    def make_room(self, base: Path, entries: list[Entry]) -> None:
        for root in ROOTS:
            remove(base / root)

    def needs(self, path: Path, entry: Entry) -> bool:
        return True


class Merges(_InPlace):
    """What was made since the backup stays."""

    def make_room(self, base: Path, entries: list[Entry]) -> None:
        for entry in entries:
            if not entry.is_folder:
                (base / entry.name).unlink(missing_ok=True)


class LeavesNewTables(Conforming):
    """Tables that the backup does not know stay."""

    breaks = "restore/exact-tree"

    def retire(self, live: Path, old: Path) -> None:
        if live.name == "tables" and live.is_dir():
            new = old.parent.parent / "new" / "tables"
            for table in live.iterdir():
                if not (new / table.name).exists():
                    table.rename(new / table.name)
        super().retire(live, old)


class LeavesEmptyFolders(_InPlace):
    """Files made since the backup go, their folders stay."""

    def make_room(self, base: Path, entries: list[Entry]) -> None:
        for root in ROOTS:
            for path in (base / root).rglob("*"):
                if not path.is_dir():
                    path.unlink()


class SkipsWhatLooksTheSame(_InPlace):
    """A file of the same size and mtime is not read again."""

    def make_room(self, base: Path, entries: list[Entry]) -> None:
        names = {entry.name for entry in entries if not self.needs(base / entry.name, entry)}
        for root in ROOTS:
            for path in sorted((base / root).rglob("*"), reverse=True):
                if path.is_symlink() or not path.is_dir():
                    if str(path.relative_to(base)) not in names:
                        path.unlink()
                elif not any(path.iterdir()):
                    path.rmdir()

    def needs(self, path: Path, entry: Entry) -> bool:
        if path.is_symlink() or not path.is_file():
            return True
        status = path.stat()
        return (status.st_size, int(status.st_mtime)) != (len(entry.content), int(entry.mtime))


class WritesThroughLinks(Conforming):
    """A symlink put in the place of a file since the backup is written through."""

    breaks = "restore/exact-tree"

    def install(self, base: Path, entries: list[Entry]) -> None:
        for entry in entries:
            if (base / entry.name).is_symlink() and not entry.is_folder:
                (base / entry.name).write_bytes(entry.content)
        super().install(base, entries)


class ModesOfTheUmask(Conforming):
    """Files and folders come back with the modes that the umask gives."""

    breaks = "restore/exact-tree"

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        super().write_entries(
            target, [e._replace(mode=0o755 if e.is_folder else 0o644) for e in entries]
        )


class FolderModesLost(Conforming):
    """Folders come back as 0755, only files with their modes."""

    breaks = "restore/exact-tree"

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        super().write_entries(
            target, [e._replace(mode=0o755) if e.is_folder else e for e in entries]
        )


class WritableFiles(Conforming):
    """Read-only files come back writable for their owner."""

    breaks = "restore/exact-tree"

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        super().write_entries(target, [e._replace(mode=e.mode | 0o200) for e in entries])


class RootModesStay(Conforming):
    """tables/ and indices/ themselves keep the modes that they have now."""

    breaks = "restore/exact-tree"

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        super().write_entries(target, entries)
        for root in ROOTS:
            live = target.parent.parent / root
            if live.is_dir() and (target / root).is_dir():
                (target / root).chmod(live.stat().st_mode & 0o7777)


class TextMode(Conforming):
    """Files are written as text: what is no UTF-8 is replaced."""

    breaks = "restore/exact-tree"

    def write_file(self, path: Path, entry: Entry) -> None:
        text = entry.content.decode("utf-8", "replace")
        super().write_file(path, entry._replace(content=text.encode()))


class OneWrite(Conforming):
    """Of a large file only what one system call took is written."""

    breaks = "restore/exact-tree"

    def write_file(self, path: Path, entry: Entry) -> None:
        super().write_file(path, entry._replace(content=entry.content[: 2**20]))


# Again ------------------------------------------------------------------------


class OnlyOnce(Conforming):
    """What the first restore leaves makes the second one an error."""

    breaks = "restore/idempotent"

    def install(self, base: Path, entries: list[Entry]) -> None:
        if base in self._restored:
            raise ReedError("IoError", "the staging folder exists")
        self._restored.append(base)
        super().install(base, entries)

    _restored: list[Path]

    def __init__(self) -> None:
        self._restored = []


class KnowsBetter(OnlyOnce):
    """A backup that this process restored already is taken to be in place."""

    def install(self, base: Path, entries: list[Entry]) -> None:
        if base not in self._restored:
            super().install(base, entries)
