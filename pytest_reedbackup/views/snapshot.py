"""A folder tree at one moment, to see what a call has changed in it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.views.tree import ROOT, Entry, Tree

# More symlinks than any path of a test goes through; after that it is a loop.
_MOST_STEPS = 200


@dataclass(frozen=True)
class Snapshot:
    """All that is in a folder, as it was when it was read; paths are relative to the folder."""

    root: Path
    tree: Tree
    """Without an entry for the folder itself."""
    files: Mapping[str, bytes]
    """The content of each file, by path; symlinks are none."""

    @classmethod
    def read(cls, root: Path) -> Snapshot:
        """Read `root` as it is now."""
        tree = Tree.read(root, exclude=(ROOT,))
        paths = (path for path, entry in tree.entries.items() if entry.kind == "file")
        return cls(root, tree, {path: (root / path).read_bytes() for path in paths})

    @property
    def entries(self) -> Mapping[str, Entry]:
        """What there is at each path."""
        return self.tree.entries

    def resolve(self, path: Path | str) -> str:
        """Return where a path leads by the symlinks in this snapshot.

        `path` lies in the folder, or is relative to it. Symlinks out of the
        folder are followed no further.
        """
        left = list((self.root / path).relative_to(self.root).parts)
        done = ""
        for _ in range(_MOST_STEPS):
            if not left:
                break
            done = os.path.normpath(os.path.join(done, left.pop(0)))
            entry = self.entries.get(done)
            if entry is not None and entry.kind == "symlink":
                target = os.path.join(self.root, os.path.dirname(done), entry.content)
                left, done = [*os.path.relpath(target, self.root).split("/"), *left], ""
        return done

    def content(self, path: Path | str) -> bytes | None:
        """Return the content of the file that `path` leads to; None where there is no file."""
        return self.files.get(self.resolve(path))

    def changed(self, later: Snapshot) -> set[str]:
        """Return the paths that came, went, or have another kind, mode or content in `later`.

        Times do not count.
        """
        both = self.entries.keys() | later.entries.keys()
        return {
            path
            for path in both
            if _timeless(self.entries.get(path)) != _timeless(later.entries.get(path))
        }


def _timeless(entry: Entry | None) -> Entry | None:
    return entry and entry._replace(mtime_ns=0)
