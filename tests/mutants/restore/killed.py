"""Mutants that it takes a kill to catch: a mixture of the old trees and the new ones."""

from __future__ import annotations

from pathlib import Path

from mutants.conforming import Conforming
from mutants.in_place import remove
from mutants.model import BackupInfo, Entry
from mutants.tar_gz import ROOTS


class NoRecovery(Conforming):
    """The swap is two renames a tree, and the next call does not finish it."""

    breaks = "restore/atomic"

    def install(self, base: Path, entries: list[Entry]) -> None:
        staging = base / ".staging"
        remove(staging)
        (staging / "old").mkdir(parents=True)
        self.write_entries(staging / "new", entries)
        for root in ROOTS:
            self.retire(base / root, staging / "old" / root)
            if (staging / "new" / root).exists():
                (staging / "new" / root).rename(base / root)
        remove(staging)


class RemovesThenWrites(Conforming):
    """The live trees are removed, and the new ones written in their place."""

    breaks = "restore/atomic"

    def install(self, base: Path, entries: list[Entry]) -> None:
        for root in ROOTS:
            remove(base / root)
        self.write_entries(base / ".new", entries)
        for root in ROOTS:
            if (base / ".new" / root).exists():
                (base / ".new" / root).rename(base / root)
        remove(base / ".new")


class RenamesTablesOneByOne(Conforming):
    """Tables are swapped one after the other."""

    breaks = "restore/atomic"

    def install(self, base: Path, entries: list[Entry]) -> None:
        staging = base / ".staging"
        remove(staging)
        (staging / "old").mkdir(parents=True)
        self.write_entries(staging / "new", entries)
        for root in ROOTS:
            if not (staging / "new" / root).exists():
                self.retire(base / root, staging / "old" / root)
                continue
            (base / root).mkdir(exist_ok=True)
            for old in list((base / root).iterdir()):
                old.rename(staging / "old" / old.name)
            for new in list((staging / "new" / root).iterdir()):
                new.rename(base / root / new.name)
        remove(staging)


class TakesSwapsBack(Conforming):
    """What a kill interrupted is thrown away, be it the only copy of a tree."""

    breaks = "restore/atomic"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        remove(Path(base_path) / ".swap")
        return super().create_backup(base_path, now_ns)
