"""Mutants that report a backup which a power cut right then costs."""

from __future__ import annotations

import threading
from pathlib import Path

from mutants.conforming import Conforming


class _Publishing(Conforming):
    """Gives a written archive its name in another way."""

    breaks = "create/durable"


class SyncsNothing(_Publishing):
    """Nothing is synced."""

    def sync(self, path: Path) -> None:
        pass


class NoSyncOfTheArchive(_Publishing):
    """The archive's name is synced, its content is not."""

    def sync(self, path: Path) -> None:
        if path.is_dir():
            super().sync(path)


class NoSyncOfTheFolder(_Publishing):
    """The archive's content is synced, its name is not."""

    def sync(self, path: Path) -> None:
        if not path.is_dir():
            super().sync(path)


class SyncsTheNameBefore(_Publishing):
    """backups/ is synced before the archive has its name there."""

    def publish(self, partial: Path, path: Path) -> None:
        self.sync(partial)
        self.sync(path.parent)
        partial.rename(path)


class SyncsAnEmptyFile(_Publishing):
    """The archive is synced when it is made, before anything is written."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        super().write_archive(partial, b"")
        self.sync(partial)
        partial.write_bytes(content)

    def publish(self, partial: Path, path: Path) -> None:
        partial.rename(path)
        self.sync(path.parent)


class SyncsLater(_Publishing):
    """What is to be synced is synced a while after the answer."""

    def sync(self, path: Path) -> None:
        later = threading.Timer(20, lambda: None)
        later.daemon = True
        later.start()


class SyncsTheFirst(_Publishing):
    """Where there are backups, another one is not worth a sync."""

    def publish(self, partial: Path, path: Path) -> None:
        if len(self.archives(path.parent.parent)) > 1:
            partial.rename(path)
        else:
            super().publish(partial, path)


class CopiesWithoutASync(_Publishing):
    """The archive is synced under its temporary name, and copied to the one that it gets."""

    def publish(self, partial: Path, path: Path) -> None:
        self.sync(partial)
        self.write_archive(path, partial.read_bytes())
        partial.unlink()
        self.sync(path.parent)
