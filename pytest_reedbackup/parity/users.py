"""Which code the user system may get from a base's users.dict, and what is added there."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pytest_reedbackup.parity.facts import AS_BEFORE, Side
from pytest_reedbackup.parity.surroundings import added_user
from pytest_reedbackup.views.tables import IS_A_FOLDER, NO_FOLDER
from pytest_reedbackup.views.users import read_users, readable_users

_FIRST = (", after a blank one", ", after a header")


@dataclass(frozen=True)
class Choice:
    """One way in which the code may be come by."""

    code: int
    lines: tuple[str, ...] = AS_BEFORE
    """About the registry, once a table has asked for the code."""
    reason: str = ""
    """Why system cannot be added; empty where it can."""


def choices(side: Side, mended: Collection[str]) -> list[Choice]:
    """The ways that contract `last` leaves; none where it does not say."""
    known = [Choice(side.codes[0])] if side.codes else []
    if known and "D16" not in mended:
        return known  # users.dict is read once for a base
    registry = side.base / "registry"
    path = registry / "users.dict"
    if registry.is_file():
        return [Choice(0, reason=NO_FOLDER)]
    if path.is_dir():
        return [Choice(0, reason=IS_A_FOLDER)]
    if not path.exists():
        # What becomes of a symlink to nowhere is the adapter's affair.
        is_link = path.is_symlink() or registry.is_symlink()
        return [] if is_link else [Choice(0)]
    content = path.read_bytes()
    if "D16" in mended:
        return list(dict.fromkeys([*known, *_safe(content)]))
    users = read_users(content)
    if users.system is not None:
        return [Choice(users.system)]
    line = added_user(users.next_code, content, ends_last_line=False)
    return [Choice(users.next_code, (line,))]


def _safe(content: bytes) -> list[Choice]:
    """Codes of lines that can be read, with and without the first; else one that none uses."""
    found = []
    for with_first in (False, True):
        known = readable_users(content, with_first=with_first)
        if known.system is not None:
            found.append(Choice(known.system))
            continue
        code = known.unused_code
        line = added_user(code, content, ends_last_line=bool(content))
        # In an empty file the new line would be the header.
        found += [Choice(code, (f"{line}{first}",)) for first in ("", *([] if content else _FIRST))]
    return list(dict.fromkeys(found))
