"""A folder as it was found at a broken point, path by path against what it might have been."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pytest_reedbackup.model.sweep import FolderDifference
from pytest_reedbackup.views.base import ROOTS
from pytest_reedbackup.views.tree import Entry, Tree, printable

_MOST_LINES = 60


class Whole(NamedTuple):
    """A database that a call may leave, whole."""

    words: str
    """What it is, as in "the database before the call"."""
    tree: Tree


def before_call(base: Path) -> Whole:
    """Return the database as it is before a call."""
    return Whole("the database before the call", Tree.read(base))


def with_restored(before: Whole, live: Tree) -> Whole:
    """Return the same database with other tables/ and indices/."""
    others = {
        path: entry
        for path, entry in before.tree.entries.items()
        if path.split("/")[0] not in ROOTS
    }
    return Whole("the database with the restored tree", Tree({**others, **live.entries}))


def difference_of(found: Tree, wholes: Sequence[Whole]) -> FolderDifference:
    """Return how what was found differs from the one of `wholes` that it is most alike."""
    differences = [
        FolderDifference(against=whole.words, lines=list(_lines(whole.tree, found)))
        for whole in wholes
    ]
    nearest = min(differences, key=lambda difference: len(difference.lines))
    more = len(nearest.lines) - _MOST_LINES
    if more <= 0:
        return nearest
    lines = [*nearest.lines[:_MOST_LINES], f"… and {more} more lines"]
    return FolderDifference(against=nearest.against, lines=lines)


def _lines(expected: Tree, found: Tree) -> Iterator[str]:
    """Yield what is missing with `-` and what is too much with `+`; of what is other, both."""
    for path in sorted(expected.entries.keys() | found.entries.keys(), key=_place):
        was, is_now = expected.entries.get(path), found.entries.get(path)
        if was and is_now and was._replace(mtime_ns=0) == is_now._replace(mtime_ns=0):
            continue
        if was:
            yield f"- {printable(path)}: {_in_words(was)}"
        if is_now:
            yield f"+ {printable(path)}: {_in_words(is_now)}"


def _place(path: str) -> tuple[bool, str]:
    """Return where a path is shown: tables/ and indices/ first, for what matters is there."""
    return path.split("/")[0] not in ROOTS, path


def _in_words(entry: Entry) -> str:
    words = f"{entry.kind}, mode {entry.mode:04o}"
    if entry.kind == "file":
        return f"{words}, {entry.size:,} bytes, sha256 {entry.content[:8]}…"
    return f"{words}, to {entry.content!r}" if entry.content else words
