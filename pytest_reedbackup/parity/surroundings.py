"""What a call did beside the tables: to users.dict, free of the time, and to all else."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from pytest_reedbackup.generate.last.sandbox import BASE
from pytest_reedbackup.parity.facts import AS_BEFORE, ELSEWHERE, OUTSIDE, REGISTRY, Facts
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.tree import Entry, printable

OTHERWISE = "has changed otherwise than by one line"
_ARTICLES = {"file": "a file", "folder": "a folder", "symlink": "a symlink"}
# Digits of a digest that are shown.
_SHORT = 12
_HEADER = b"code|username|created_at\n"
_USER = re.compile(rb"(\n?|code\|username\|created_at\n)([^\n|]*)\|([^\n|]*)\|[0-9]{10,}\n")
_NEW = re.compile(rb"code\|username\|created_at\n0\|system\|[0-9]+\n1\|admin\|[0-9]+\n")
_TIME = re.compile(rb"\|[0-9]{10,}$", re.MULTILINE)


def surroundings(before: Snapshot, after: Snapshot, claimed: Collection[str] = ()) -> Facts:
    """The lines about what no table's and no backup's facts explain."""
    users, explained = _registry(before, after)
    rest = before.changed(after) - set(claimed) - explained
    inside = {path for path in rest if path.startswith(f"{BASE}/")}
    inside |= rest & {BASE}
    return {
        REGISTRY: users,
        ELSEWHERE: _changed(before, after, inside),
        OUTSIDE: _changed(before, after, rest - inside),
    }


def _changed(before: Snapshot, after: Snapshot, paths: Collection[str]) -> tuple[str, ...]:
    return tuple(f"changed: {line}" for line in changes(before, after, paths)) or AS_BEFORE


def _registry(before: Snapshot, after: Snapshot) -> tuple[tuple[str, ...], set[str]]:
    """The lines about users.dict, and the paths whose change they explain.

    A registry that was not there is made by the adapter (BASELINE.md, "The
    adapter's duty"), so it does not matter whether and when it is.
    """
    folder = before.root / BASE / "registry"
    new = {
        path
        for path in before.changed(after) - before.entries.keys()
        if path.startswith(f"{before.resolve(folder)}/") or path == before.resolve(folder)
    }
    users = folder / "users.dict"
    claimed = {path for path in new if Path(path).name != "users.dict"}
    home = before.resolve(users)
    was, became = before.entries.get(home), after.entries.get(home)
    is_kept = became and (was is None or (was.kind, was.mode) == ("file", became.mode))
    if became and became.kind == "file" and is_kept:
        claimed.add(home)
    return _lines(before.files.get(home), after.files.get(after.resolve(users))), claimed


def _lines(before: bytes | None, after: bytes | None) -> tuple[str, ...]:
    if before == after:
        return AS_BEFORE
    if after is None:
        return ("users.dict: gone",)
    if before is None:
        is_standard = _NEW.fullmatch(after) is not None
        return AS_BEFORE if is_standard else (f"a new users.dict: {_TIME.sub(b'|now', after)!r}",)
    line = _USER.fullmatch(after[len(before) :])
    if not after.startswith(before) or line is None:
        return (f"users.dict: {OTHERWISE}",)
    told = b"%b|%b" % (line[2], line[3])
    ending = describe_join(before, line[1])
    return (f"users.dict: one line more, {told.decode('utf-8', 'replace')}|now{ending}",)


def added_user(code: int, before: bytes, *, ends_last_line: bool) -> str:
    """The line about a users.dict that has system added."""
    separator = b"\n" if ends_last_line and not before.endswith(b"\n") else b""
    return f"users.dict: one line more, {code}|system|now{describe_join(before, separator)}"


def describe_join(before: bytes, separator: bytes) -> str:
    """How a new line follows the last one; nothing as a rule."""
    is_ended = not before or before.endswith(b"\n")
    if separator == _HEADER:
        return ", after a header"
    if separator:
        return ", after a blank one" if is_ended else ""
    return "" if is_ended else ", glued to the last one"


def described_path(path: str) -> str:
    """A path of a snapshot as it is shown: relative to the base, or to the folder around it."""
    return printable(path.removeprefix(f"{BASE}/"))


def sha(content: str) -> str:
    """The beginning of a digest, as lines have it."""
    return f"sha256 {content[:_SHORT]}…"


def changes(before: Snapshot, after: Snapshot, paths: Collection[str]) -> Iterator[str]:
    """A line for each of these paths that changed."""
    for path in sorted(before.changed(after) & set(paths)):
        change = _change(before.entries.get(path), after.entries.get(path))
        yield f"{described_path(path)}: {change}"


def _change(before: Entry | None, after: Entry | None) -> str:
    if after is None:
        return "gone"
    if before is None:
        return f"{_ARTICLES.get(after.kind, after.kind)} that was not there{_content(after)}"
    if before.kind != after.kind:
        was, became = (_ARTICLES.get(entry.kind, entry.kind) for entry in (before, after))
        return f"{was} became {became}{_content(after)}"
    changes = [] if before.content == after.content else [f"other content{_content(after)}"]
    if before.mode != after.mode:
        changes.append(f"mode {before.mode:04o} became {after.mode:04o}")
    return "; ".join(changes)


def _content(entry: Entry) -> str:
    if entry.kind == "file":
        return f", {sha(entry.content)}"
    return f", to {printable(entry.content)}" if entry.kind == "symlink" else ""
