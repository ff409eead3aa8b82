"""The views of a base that cases compare: what a backup holds, and what it leaves alone."""

from __future__ import annotations

import stat
from pathlib import Path

from pytest_reedbackup.views.tree import Tree

ROOTS = ("tables", "indices")
"""The folders of a base that a backup holds."""

_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX


def roots_in(base: Path) -> list[str]:
    """Return which of them a base has."""
    return [root for root in ROOTS if (base / root).is_dir()]


def live_tree(base: Path) -> Tree:
    """Return what a backup holds: tables/ and indices/."""
    others = tuple(child.name for child in base.iterdir() if child.name not in ROOTS)
    return Tree.read(base, exclude=(".", *others))


def other_tree(base: Path) -> Tree:
    """Return what a restore leaves alone: everything beside tables/ and indices/."""
    return Tree.read(base, exclude=(".", *ROOTS))


def source_tree(base: Path) -> Tree:
    """Return what a backup leaves alone: everything but backups/."""
    return Tree.read(base, exclude=(".", "backups"))


def below_roots(tree: Tree) -> Tree:
    """Return the tree without the two roots themselves, which members below them may imply."""
    return tree.without(ROOTS)


def backups_listing(base: Path) -> list[str]:
    """Return the names in backups/; none where there is no such folder."""
    folder = base / "backups"
    return sorted(child.name for child in folder.iterdir()) if folder.is_dir() else []


def with_cleared_bits_back(found: Tree, expected: Tree) -> Tree:
    """Return `found`, with set-id and sticky bits of files as expected where they were cleared.

    An implementation may keep them or clear them (contract `ticket`, restore/modes); none may
    come from nowhere.
    """
    entries = dict(found.entries)
    for name, entry in found.entries.items():
        wanted = expected.entries.get(name)
        if wanted is not None and entry.kind == wanted.kind == "file":
            cleared = wanted.mode & ~entry.mode & _SPECIAL_BITS
            entries[name] = entry._replace(mode=entry.mode | cleared)
    return Tree(entries)
