"""Implementations that do something wrong when the disk is full, or on a disk in memory."""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

from mutants.conforming import Conforming
from mutants.in_place import remove
from mutants.model import Entry

# Loaded before there is a disk in memory, so that nothing refuses it.
_LIBRARY = ctypes.CDLL(None)


class Swallowing(Conforming):
    """It reports a backup that there was no room for."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        try:
            super().write_archive(partial, content)
        except OSError:
            partial.touch()


class WritingOnce(Conforming):
    """It does not look how much of the archive the system has taken."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        remove(partial)
        file = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        os.write(file, content)
        os.close(file)


class Littering(Conforming):
    """It leaves a file behind where it fails, under another name each time."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        try:
            super().write_archive(partial, content)
        except OSError:
            partial.with_name(f"failed-{os.urandom(8).hex()}").touch()
            raise


class Undocumented(Conforming):
    """It fails with an error that is none of the module's."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        try:
            super().write_archive(partial, content)
        except OSError:
            raise KeyError("room") from None


class Exiting(Conforming):
    """It ends the program where it fails."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        try:
            super().write_archive(partial, content)
        except OSError:
            raise SystemExit(1) from None


class InPlace(Conforming):
    """It restores over the live tree."""

    def install(self, base: Path, entries: list[Entry]) -> None:
        remove(base / "tables")
        self.write_entries(base / "restoring", entries)
        (base / "restoring" / "tables").rename(base / "tables")
        remove(base / "restoring")


class CostingABackup(Conforming):
    """It makes room by removing its oldest backup."""

    def write_archive(self, partial: Path, content: bytes) -> None:
        try:
            super().write_archive(partial, content)
        except OSError:
            self.archives(partial.parent.parent)[-1].path.unlink()
            raise


class ByAProcess(Conforming):
    """It has another program make its folder."""

    def make_backups(self, backups: Path) -> None:
        subprocess.run(["mkdir", "-p", str(backups)], check=True)


class ByALibrary(Conforming):
    """It has a library in C make a folder, and does not look whether that works."""

    def make_backups(self, backups: Path) -> None:
        super().make_backups(backups)
        _LIBRARY.mkdir(os.fsencode(backups / os.urandom(4).hex()), 0o700)
