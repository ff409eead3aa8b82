"""What a call changed beside tables and backups: in users.dict, without times, and elsewhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from pathlib import Path

from pytest_reedbackup.generate.last.temporary_bases import BASE
from pytest_reedbackup.parity.observations import (
    AS_BEFORE,
    ELSEWHERE,
    OUTSIDE,
    REGISTRY,
    Observation,
)
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


def other_changes(
    before: Snapshot, after: Snapshot, explained: Collection[str] = ()
) -> Observation:
    """Return the lines about all changes but those of the paths in `explained`.

    Those are the paths that the lines about a table or a backup are about.
    """
    users, of_users = _registry(before, after)
    rest = before.changed(after) - set(explained) - of_users
    inside = {path for path in rest if path.startswith(f"{BASE}/")}
    inside |= rest & {BASE}
    return {
        REGISTRY: users,
        ELSEWHERE: _changed(before, after, inside),
        OUTSIDE: _changed(before, after, rest - inside),
    }


def _changed(before: Snapshot, after: Snapshot, paths: Collection[str]) -> tuple[str, ...]:
    return tuple(f"changed: {line}" for line in describe_changes(before, after, paths)) or AS_BEFORE


def _registry(before: Snapshot, after: Snapshot) -> tuple[tuple[str, ...], set[str]]:
    """Return the lines about users.dict, and the paths whose changes they explain.

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
    explained = {path for path in new if Path(path).name != "users.dict"}
    place = before.resolve(users)
    was, became = before.entries.get(place), after.entries.get(place)
    is_kept = became and (was is None or (was.kind, was.mode) == ("file", became.mode))
    if became and became.kind == "file" and is_kept:
        explained.add(place)
    return _lines(before.files.get(place), after.files.get(after.resolve(users))), explained


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
    user = b"%b|%b" % (line[2], line[3])
    join = describe_join(before, line[1])
    return (f"users.dict: one line more, {user.decode('utf-8', 'replace')}|now{join}",)


def added_user_line(code: int, before: bytes, *, ends_last_line: bool) -> str:
    """Return the line about a users.dict that system was added to, with this code."""
    separator = b"\n" if ends_last_line and not before.endswith(b"\n") else b""
    return f"users.dict: one line more, {code}|system|now{describe_join(before, separator)}"


def describe_join(before: bytes, separator: bytes) -> str:
    """Return how a new line follows the last one; an empty text where it does as it should."""
    is_ended = not before or before.endswith(b"\n")
    if separator == _HEADER:
        return ", after a header"
    if separator:
        return ", after a blank one" if is_ended else ""
    return "" if is_ended else ", glued to the last one"


def describe_path(path: str) -> str:
    """Return a path as it is shown: relative to the base, or to the folder around it."""
    return printable(path.removeprefix(f"{BASE}/"))


def short_digest(content: str) -> str:
    """Return the beginning of a SHA-256 digest, as lines have it."""
    return f"sha256 {content[:_SHORT]}…"


def describe_changes(before: Snapshot, after: Snapshot, paths: Collection[str]) -> Iterator[str]:
    """Yield a line for each of these paths that changed."""
    for path in sorted(before.changed(after) & set(paths)):
        change = _change(before.entries.get(path), after.entries.get(path))
        yield f"{describe_path(path)}: {change}"


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
        return f", {short_digest(entry.content)}"
    return f", to {printable(entry.content)}" if entry.kind == "symlink" else ""
