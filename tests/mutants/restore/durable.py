"""Mutants that report a restore which a power cut right then costs."""

from __future__ import annotations

import shutil
from pathlib import Path

from mutants.conforming import Conforming
from mutants.in_place import is_folder, remove
from mutants.model import Entry
from mutants.syncing import write_unsynced


class _Lost(Conforming):
    """Leaves something of a restored tree to the file system's cache."""

    breaks = "restore/durable"


class _WritesFilesOnly(_Lost):
    """Files are written and not synced."""

    def write_file(self, path: Path, entry: Entry) -> None:
        write_unsynced(path, entry)


class NoSyncOfFiles(_WritesFilesOnly):
    """Folders and names are synced, the files in them are not."""


class NoSyncOfLaterFiles(_WritesFilesOnly):
    """Of each folder only the first file is synced."""

    def write_file(self, path: Path, entry: Entry) -> None:
        super().write_file(path, entry)
        if len(list(path.parent.iterdir())) == 1:
            self.sync(path)


class NoSyncOfTheSwap(_Lost):
    """The new trees are synced, but none of the renames that put them in their place."""

    def sync(self, path: Path) -> None:
        if path.name in ("new", "old", ".reed"):
            return
        super().sync(path)


class SyncsBeforeTheSwap(_Lost):
    """The base is synced before the trees are put in their place, and not afterwards."""

    def begin_swap(self, base: Path) -> None:
        self.sync(base)
        self._is_swapping = True
        super().begin_swap(base)

    def finish_swap(self, base: Path) -> None:
        self._is_swapping = True
        super().finish_swap(base)
        self._is_swapping = False

    def sync(self, path: Path) -> None:
        if not self._is_swapping:
            super().sync(path)

    _is_swapping = False


class _Overwrites(_Lost):
    """Trees are written anew where they are."""

    def has_mounts_below(self, live: Path) -> bool:
        return True


class OverwritesWithoutASync(_Overwrites):
    """Files are copied to where they were, and not synced there."""

    def overwrite(self, live: Path, new: Path) -> None:
        remove(live)
        if is_folder(new):
            shutil.copytree(new, live)
        else:
            live.mkdir()


class SyncsTheCopies(_Overwrites):
    """What is synced is the staged files, not what they are copied to."""

    def overwrite(self, live: Path, new: Path) -> None:
        remove(live)
        if is_folder(new):
            shutil.copytree(new, live)
            for path in new.rglob("*"):
                self.sync(path)
        else:
            live.mkdir()
        self.sync(live.parent)
