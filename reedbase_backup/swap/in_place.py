"""Live trees that are what the backup holds already, in every entry: nothing is to be moved."""

from __future__ import annotations

import os
import stat
from contextlib import suppress

from reedbase_backup.archive.admission import ROOTS, ArchiveEntry
from reedbase_backup.archive.manifest import Record
from reedbase_backup.disk.durable import sync_tree
from reedbase_backup.disk.folders import opened
from reedbase_backup.swap.extract import Extraction
from reedbase_backup.swap.links import LiveLinks, Stamp, is_like, read
from reedbase_backup.swap.ownership import Ownership


def is_in_place(base: int, extraction: Extraction, links: LiveLinks) -> bool:
    """Return whether the live trees are what was extracted, and then make them durable.

    All but the `links` was written to the staged trees, which are not needed then. The tables
    must be locked. Raise Unlinkable where a file changes meanwhile, and OSError.
    """
    records = extraction.contents.records
    is_likely = links.are_wanted and extraction.is_linkable
    if not is_likely or not _is_like_all(base, extraction, records):
        return False
    if not links.are_backed_up(records):
        return False
    # They may have been written a moment ago, by somebody who did not sync them.
    sync_tree(base, list(records))
    links.look_again()
    return True


def _is_like_all(base: int, extraction: Extraction, records: dict[str, Record]) -> bool:
    """Return whether all folders, with the names in each, and files outside tables/ are so."""
    ownership = Ownership()
    names: dict[str, set[str]] = {name: set() for name in extraction.folders}
    for above, _, name in (name.rpartition("/") for name in records):
        names.setdefault(above, set()).add(name)
    with suppress(OSError):
        return (
            # As they are listed: disks that ignore case find a name by others, too.
            {*os.listdir(base)} & {*ROOTS} == names.get("", set())
            and all(
                entry is not None
                and ownership.can_give(entry)
                and _is_like_folder(base, entry, records[name], names[name])
                for name, entry in extraction.folders.items()
            )
            and all(
                ownership.can_give(entry) and _is_like_file(base, entry, records[entry.name])
                for entry in extraction.unlinkable_files
            )
        )
    return False


def _is_like_folder(base: int, entry: ArchiveEntry, record: Record, names: set[str]) -> bool:
    live = os.stat(entry.name, dir_fd=base, follow_symlinks=False)
    if (live.st_mode, live.st_uid, live.st_gid, live.st_mtime_ns) != (
        stat.S_IFDIR | entry.mode,
        entry.uid,
        entry.gid,
        record.mtime_ns,
    ):
        return False
    with opened(base, entry.name) as folder:
        return {*os.listdir(folder)} == names


def _is_like_file(base: int, entry: ArchiveEntry, record: Record) -> bool:
    live = os.stat(entry.name, dir_fd=base, follow_symlinks=False)
    if not is_like(live, entry) or live.st_mtime_ns != record.mtime_ns:
        return False
    above, _, name = entry.name.rpartition("/")
    with opened(base, above) as folder:
        return read(folder, name, Stamp.of(live), record.digest) is not None
