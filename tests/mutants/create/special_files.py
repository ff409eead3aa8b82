"""Mutants in what is neither file nor folder: followed, passed over, or not named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Entry, ReedError


class FollowsLinks(Conforming):
    """Symlinks are archived as what they lead to."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        if path.is_dir():
            yield from self.walk(path, name)
        elif path.is_file():
            yield self.entry(path, name)
        else:
            yield from super().special(path, name)


class SkipsSpecialFiles(Conforming):
    """What is neither file nor folder is passed over."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        return iter(())


class SkipsSockets(Conforming):
    """Sockets are passed over, as tar does with a word on stderr."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        return iter(()) if path.is_socket() else super().special(path, name)


class SkipsDanglingLinks(Conforming):
    """Only a symlink that leads somewhere is refused."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        return iter(()) if not path.exists() else super().special(path, name)


class DevicesAreEmpty(Conforming):
    """A device is archived as an empty file."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        if path.is_char_device():
            yield Entry(name, False, 0o600, 0, b"")
        else:
            yield from super().special(path, name)


class LooksOnlyIntoTables(Conforming):
    """A special file in indices/ is passed over."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        return iter(()) if name.startswith("indices") else super().special(path, name)


class LooksOnlyAtFiles(Conforming):
    """A symlink in the place of a table is passed over."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        return iter(()) if name.count("/") == 1 and path.is_dir() else super().special(path, name)


class NamesNothing(Conforming):
    """A special file is refused, but not named."""

    breaks = "create/special-file"

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        raise ReedError("BackupUnsafe", "the database holds a special file")
