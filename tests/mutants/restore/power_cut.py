"""Mutants that it takes a power cut in the midst of a restore to catch."""

from __future__ import annotations

import shutil
from pathlib import Path

from mutants.conforming import Conforming
from mutants.in_place import is_folder, is_there, overwrite, remove
from mutants.model import Entry
from mutants.syncing import copy, sync, write_unsynced
from mutants.tar_gz import ROOTS


class _Cut(Conforming):
    """Does things in an order that a power cut shows."""

    breaks = "restore/power-cut"


class BeginsBeforeItSyncs(_Cut):
    """The swap begins before the new files are on the disk, and they are synced when it is done."""

    def write_file(self, path: Path, entry: Entry) -> None:
        write_unsynced(path, entry)

    def sync_swap(self, base: Path, swap: Path) -> None:
        for root in ROOTS:
            for path in (base / root).rglob("*"):
                self.sync(path)
        super().sync_swap(base, swap)


class _TakesBack(_Cut):
    """Trees are written where they are, and a killed call is taken back, by copies in .undo/."""

    def install(self, base: Path, entries: list[Entry]) -> None:
        undo, staging = base / ".undo", base / ".staging"
        remove(staging)
        staging.mkdir(0o700)
        self.write_entries(staging / "new", entries)
        self.keep_all(base, undo)
        try:
            for root in ROOTS:
                self.change(base / root, staging / "new" / root)
            self.sync(base)
        except BaseException:
            self.bring_back(base)
            raise
        self.forget(undo)
        remove(staging)

    def keep_all(self, base: Path, undo: Path) -> None:
        partial = base / ".staging" / "undo"
        partial.mkdir(0o700)
        for root in ROOTS:
            self.keep_root(base / root, partial / root)
        self.commit(partial, undo)

    def keep_root(self, live: Path, kept: Path) -> None:
        if is_there(live):
            copy(live, kept)

    def commit(self, partial: Path, undo: Path) -> None:
        sync(partial)
        partial.rename(undo)
        sync(undo.parent)

    def change(self, live: Path, new: Path) -> None:
        overwrite(live, new)
        if not is_there(new):
            remove(live)

    def forget(self, undo: Path) -> None:
        gone = undo.rename(undo.with_name(".undone"))
        sync(undo.parent)
        remove(gone)

    def finish_swap(self, base: Path) -> None:
        remove(base / ".undone")
        self.bring_back(base)
        super().finish_swap(base)

    def bring_back(self, base: Path) -> None:
        undo = base / ".undo"
        if is_folder(undo):
            for root in ROOTS:
                self.change(base / root, undo / root)
            self.sync(base)
            self.forget(undo)


class UndoesWithoutASync(_TakesBack):
    """The copies by which a killed restore is taken back are not synced."""

    def keep_root(self, live: Path, kept: Path) -> None:
        if is_there(live):
            shutil.copytree(live, kept, symlinks=True)


class ForgetsBeforeItSyncs(_TakesBack):
    """The copies for the case of a kill are gone before what is new is on the disk."""

    def change(self, live: Path, new: Path) -> None:
        remove(live)
        if is_there(new):
            shutil.copytree(new, live, symlinks=True)

    def forget(self, undo: Path) -> None:
        super().forget(undo)
        for root in ROOTS:
            for path in (undo.parent / root).rglob("*"):
                if not path.is_symlink():
                    sync(path)


class KeepsTooLate(_TakesBack):
    """What was there is kept when tables/ are written anew already."""

    breaks = "restore/atomic"

    def keep_all(self, base: Path, undo: Path) -> None:
        overwrite(base / "tables", base / ".staging" / "new" / "tables")
        super().keep_all(base, undo)


class DisownsFirst(Conforming):
    """The journal is gone when the swap begins."""

    breaks = "restore/atomic"
    shown_by = "ticket/restore/atomic/calls"

    def swap_root(self, live: Path, new: Path, old: Path) -> None:
        (old.parents[1] / "journal").unlink(missing_ok=True)
        super().swap_root(live, new, old)


class FinishesTablesOnly(Conforming):
    """The call after a kill finishes the swap of tables/, and thinks that this is all."""

    breaks = "restore/atomic"
    shown_by = "ticket/restore/atomic/calls"

    def begin_swap(self, base: Path) -> None:
        super().begin_swap(base)
        self._has_begun = True

    def swap_root(self, live: Path, new: Path, old: Path) -> None:
        if live.name == "tables" or self._has_begun:
            super().swap_root(live, new, old)

    _has_begun = False
