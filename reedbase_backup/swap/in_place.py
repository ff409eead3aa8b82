"""Live trees that are what the backup holds already, in every entry: nothing is to be moved."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import suppress

from reedbase_backup.archive.admission import ROOTS, ArchiveEntry
from reedbase_backup.archive.manifest import Record
from reedbase_backup.disk.durable import sync_tree
from reedbase_backup.disk.folders import opened
from reedbase_backup.swap.extract import Extraction
from reedbase_backup.swap.links import LiveLinks
from reedbase_backup.swap.live_file import Stamp, is_like, read_at
from reedbase_backup.swap.ownership import Ownership


def is_in_place(base: int, extraction: Extraction, links: LiveLinks) -> bool:
    """Return whether the live trees are what was extracted, and then make them durable.

    All but the `links` was written to the staged trees, which are not needed then. The tables
    must be locked. Raise Unlinkable where a file changes meanwhile, and OSError.
    """
    records = extraction.contents.records
    if not links.are_wanted or not extraction.is_linkable:
        return False
    beside = _Beside(base, extraction, records)
    if not (beside.are_alike() and links.are_backed_up(records) and beside.are_backed_up()):
        return False
    # They may have been written a moment ago, by somebody who did not sync them.
    sync_tree(base, list(records))
    links.look_again()
    return beside.are_as_they_were()


class _Beside:
    """What is not for links: the folders, with the names in each, and the files outside tables/."""

    def __init__(self, base: int, extraction: Extraction, records: Mapping[str, Record]) -> None:
        self._base = base
        self._records = records
        self._folders = extraction.folders
        self._files = extraction.unlinkable_files
        self._ownership = Ownership()
        self._stamps: dict[str, Stamp] = {}
        """What each was found to be."""

    def are_alike(self) -> bool:
        """Return whether they are, but for the content of files, what was backed up."""
        names: dict[str, set[str]] = {name: set() for name in self._folders}
        for above, _, name in (name.rpartition("/") for name in self._records):
            names.setdefault(above, set()).add(name)
        with suppress(OSError):
            # As they are listed: disks that ignore case find a name by others, too.
            return (
                {*os.listdir(self._base)} & {*ROOTS} == names.get("", set())
                and all(
                    entry is not None and self._is_alike(entry) and self._holds(name, names[name])
                    for name, entry in self._folders.items()
                )
                and all(map(self._is_alike, self._files))
            )
        return False

    def are_backed_up(self) -> bool:
        """Return whether the files have the content that was backed up."""
        return all(map(self._is_backed_up, self._files))

    def are_as_they_were(self) -> bool:
        """Return whether nothing has changed since it was first looked at."""
        with suppress(OSError):
            return all(Stamp.of(self._found(name)) == was for name, was in self._stamps.items())
        return False

    def _is_alike(self, entry: ArchiveEntry) -> bool:
        live, record = self._found(entry.name), self._records[entry.name]
        self._stamps[entry.name] = Stamp.of(live)
        if live.st_mtime_ns != record.mtime_ns or not self._ownership.can_give(entry):
            return False
        if not entry.is_folder:
            return is_like(live, entry)
        owner = live.st_uid, live.st_gid
        return live.st_mode == stat.S_IFDIR | entry.mode and owner == (entry.uid, entry.gid)

    def _holds(self, folder: str, names: set[str]) -> bool:
        with opened(self._base, folder) as listed:
            return {*os.listdir(listed)} == names

    def _is_backed_up(self, entry: ArchiveEntry) -> bool:
        stamp, digest = self._stamps[entry.name], self._records[entry.name].digest
        return read_at(self._base, entry.name, stamp, stamp.links, digest) == stamp

    def _found(self, name: str) -> os.stat_result:
        return os.stat(name, dir_fd=self._base, follow_symlinks=False)
