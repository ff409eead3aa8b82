"""All that a call can touch, as it is at one moment: the base, and what is beside it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.views.tree import ROOT, Entry, Tree, shown

_SHORT = 12
"""Digits of a digest that are shown."""
_MOST_STEPS = 200
_ARTICLES = {"file": "a file", "folder": "a folder", "symlink": "a symlink"}


def sha(content: bytes | str | None) -> str:
    """The beginning of a digest, as lines have it."""
    return f"sha256 {str(content)[:_SHORT]}…"


@dataclass(frozen=True)
class Snapshot:
    """The folder that the base is in: symlinks of a generated base lead nowhere else."""

    base: Path
    entries: Mapping[str, Entry]
    """By path relative to that folder; times do not count."""
    files: Mapping[str, bytes]
    """The content of each file."""

    @classmethod
    def read(cls, base: Path) -> Snapshot:
        """All as it is now."""
        entries = Tree.read(base.parent, exclude=(ROOT,)).entries
        return cls(
            base,
            {path: entry._replace(mtime_ns=0) for path, entry in entries.items()},
            {
                path: (base.parent / path).read_bytes()
                for path, entry in entries.items()
                if entry.kind == "file"
            },
        )

    def home(self, path: Path) -> str:
        """Where a path really was, with all symlinks followed, in the terms of `entries`."""
        left = list(path.relative_to(self.base.parent).parts)
        done = ""
        for _ in range(_MOST_STEPS):
            if not left:
                break
            done = os.path.normpath(os.path.join(done, left.pop(0)))
            entry = self.entries.get(done)
            if entry is not None and entry.kind == "symlink":
                target = os.path.normpath(os.path.join(os.path.dirname(done), entry.content))
                left, done = [*target.split("/"), *left], ""
        return done

    def in_words(self, path: str) -> str:
        """A path of `entries` as it is shown: relative to the base, or to the folder around it."""
        return shown(path.removeprefix(f"{self.base.name}/"))

    def changed(self, later: Snapshot) -> set[str]:
        """Paths whose kind, mode or content is another then, and those that came or went."""
        both = self.entries.keys() | later.entries.keys()
        return {path for path in both if self.entries.get(path) != later.entries.get(path)}

    def changes(self, later: Snapshot, paths: Collection[str]) -> Iterator[str]:
        """A line for each of these paths that changed."""
        for path in sorted(self.changed(later) & set(paths)):
            change = _change(self.entries.get(path), later.entries.get(path))
            yield f"{self.in_words(path)}: {change}"


def _change(before: Entry | None, after: Entry | None) -> str:
    if after is None:
        return "gone"
    if before is None:
        return f"{_ARTICLES.get(after.kind, after.kind)} that was not there{_content(after)}"
    if before.kind != after.kind:
        was, became = (_ARTICLES.get(entry.kind, entry.kind) for entry in (before, after))
        return f"{was} became {became}{_content(after)}"
    told = [] if before.content == after.content else [f"other content{_content(after)}"]
    if before.mode != after.mode:
        told.append(f"mode {before.mode:04o} became {after.mode:04o}")
    return "; ".join(told)


def _content(entry: Entry) -> str:
    if entry.kind == "file":
        return f", {sha(entry.content)}"
    return f", to {shown(entry.content)}" if entry.kind == "symlink" else ""
