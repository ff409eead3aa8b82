"""What tables/ and indices/ hold, live or in a backup, and how two such trees differ."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from hashlib import sha256

from reedbase_backup import catalogue
from reedbase_backup.archive.reader import ArchiveReader, Contents
from reedbase_backup.catalogue import BackupName
from reedbase_backup.disk.base_lock import base_watched
from reedbase_backup.disk.source import Unit, read_settled, units
from reedbase_backup.disk.source_entries import (
    SourceEntry,
    SourceFile,
    SourceFiles,
    SourceFolder,
    SourceOther,
)
from reedbase_backup.errors import translated
from reedbase_backup.meter import Meter
from reedbase_backup.picks import Pick
from reedbase_backup.types import BasePath


@dataclass(frozen=True, slots=True)
class Node:
    """A folder, a file, or (live) what is neither."""

    kind: str
    """`folder`, `file` or `other`."""
    mode: int | None
    """None of a folder that only the paths of what it holds imply."""
    size: int = 0
    digest: str = ""
    """SHA-256 of a file, as a manifest has it."""
    mtime_ns: int = 0
    """Of a live file."""

    def is_like(self, other: Node | None) -> bool:
        """Return whether the other one is of the same kind, and has the same content."""
        return (
            other is not None
            and self.kind == other.kind
            and (self.size, self.digest) == (other.size, other.digest)
        )


Tree = dict[str, Node]
"""Nodes by their path, as in `tables/text/current.csv`."""


@dataclass(frozen=True, slots=True)
class Changes:
    """What is another in a new tree than in an old one; names in order."""

    added: list[str]
    changed: list[str]
    """With another content, or a folder in place of a file, or the other way round."""
    mode_changed: list[str]
    """With another mode and nothing else."""
    removed: list[str]


def archived(base: str, name: BackupName) -> tuple[Tree, Contents]:
    """Return what a backup holds, read whole and verified.

    Raise BackupCorrupted, BackupUnsafe, IoError, or OSError.
    """
    with catalogue.open_archive(base, name) as file:
        reader = ArchiveReader(file, name.file_name)
        entries = list(reader)
    assert reader.contents is not None
    records = reader.contents.records
    tree: Tree = {}
    for entry in entries:
        if entry.is_folder:
            tree[entry.name] = Node("folder", entry.mode)
        else:
            tree[entry.name] = Node("file", entry.mode, entry.size, records[entry.name].digest)
    for folder in _implied_folders(tree):
        tree[folder] = Node("folder", None)
    return tree, reader.contents


def live(base: str, meter: Meter | None = None) -> Tree:
    """Return what the database holds, read as a backup reads it: each table between two writes.

    The `meter` counts what was read. Raise LockTimeout, IoError or PermissionDenied.
    """
    tree: Tree = {}
    for unit in units(base):
        own = _unit(unit)
        if meter is not None:
            meter.count(sum(node.size for node in own.values()))
        tree.update(own)
    return tree


def of_backup(base_path: BasePath, pick: Pick) -> tuple[BackupName, Tree, Contents]:
    """Return which backup `pick` means, and what it holds; no backup is pruned meanwhile.

    Raise what `pick` raises, BackupCorrupted, BackupUnsafe, IoError, PermissionDenied or
    LockTimeout.
    """
    base = os.fsdecode(base_path)
    with base_watched(base), translated("read_archive"):
        name = pick(catalogue.archive_names(base))
        return name, *archived(base, name)


def of_database(base_path: BasePath) -> Tree:
    """Return what is live; no restore runs meanwhile. Raise as `live`."""
    base = os.fsdecode(base_path)
    with base_watched(base), translated("read_source"):
        return live(base)


def compare(old: Tree, new: Tree) -> Changes:
    """Return what is another in `new`."""
    both = sorted(old.keys() & new.keys())
    changed = [name for name in both if not old[name].is_like(new[name])]
    others = sorted(set(both) - set(changed))
    return Changes(
        added=sorted(new.keys() - old.keys()),
        changed=changed,
        mode_changed=[name for name in others if _differ_in_mode(old[name], new[name])],
        removed=sorted(old.keys() - new.keys()),
    )


def _differ_in_mode(old: Node, new: Node) -> bool:
    return None not in (old.mode, new.mode) and old.mode != new.mode


def _unit(unit: Unit) -> Tree:
    tree: Tree = {}

    def see(entry: SourceEntry) -> None:
        if isinstance(entry, SourceFiles):
            for file in entry:
                tree[file.name] = _node(file)
        else:
            tree[entry.name] = _node(entry)

    read_settled(unit, see, tree.clear)
    return tree


def _node(entry: SourceFile | SourceFolder | SourceOther) -> Node:
    mode = stat.S_IMODE(entry.status.st_mode)
    if isinstance(entry, SourceFile):
        return Node("file", mode, entry.status.st_size, _digest(entry), entry.status.st_mtime_ns)
    return Node("folder" if isinstance(entry, SourceFolder) else "other", mode)


def _digest(file: SourceFile) -> str:
    hasher = sha256()
    for chunk in file.chunks():
        hasher.update(chunk)
    return hasher.hexdigest()


def _implied_folders(tree: Tree) -> set[str]:
    """Return the folders above all that is in `tree`, which an archive of others need not name."""
    implied = set()
    for name in tree:
        while (name := os.path.dirname(name)) and name not in tree:
            implied.add(name)
    return implied
