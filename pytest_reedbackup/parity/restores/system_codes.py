"""The codes that the user system may have in a restore, and what each adds to users.dict."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from pytest_reedbackup.parity.changes import added_user_line
from pytest_reedbackup.parity.observations import AS_BEFORE
from pytest_reedbackup.parity.sides import SideRun
from pytest_reedbackup.views.tables import IS_A_FOLDER, NO_FOLDER
from pytest_reedbackup.views.users import read_users, readable_users

# Ways to keep the first line of an empty users.dict from being taken for its header.
_BEFORE_THE_FIRST = (", after a blank one", ", after a header")


@dataclass(frozen=True)
class SystemCode:
    """A code by which system may write versions."""

    code: int
    lines: tuple[str, ...] = AS_BEFORE
    """The lines about the registry once a table has been written by this code."""
    reason: str = ""
    """Why system cannot be added; empty where it can."""


def system_codes(run: SideRun, mended: Collection[str]) -> list[SystemCode]:
    """Return the codes that contract `last` allows; none where it does not say."""
    known = [SystemCode(run.codes[0])] if run.codes else []
    if known and "D16" not in mended:
        return known  # users.dict is read once for a base
    registry = run.base / "registry"
    path = registry / "users.dict"
    if registry.is_file():
        return [SystemCode(0, reason=NO_FOLDER)]
    if path.is_dir():
        return [SystemCode(0, reason=IS_A_FOLDER)]
    if not path.exists():
        # What becomes of a symlink to nowhere is the adapter's affair.
        is_link = path.is_symlink() or registry.is_symlink()
        return [] if is_link else [SystemCode(0)]
    content = path.read_bytes()
    if "D16" in mended:
        return list(dict.fromkeys([*known, *_safe_codes(content)]))
    users = read_users(content)
    if users.system is not None:
        return [SystemCode(users.system)]
    line = added_user_line(users.next_code, content, ends_last_line=False)
    return [SystemCode(users.next_code, (line,))]


def _safe_codes(content: bytes) -> list[SystemCode]:
    """Return the codes that system may have where the safe thing is done about D16.

    That is its code in the lines that can be read, or one that none of them
    uses; the first line may count or not.
    """
    codes = []
    for with_first in (False, True):
        users = readable_users(content, with_first=with_first)
        if users.system is not None:
            codes.append(SystemCode(users.system))
            continue
        line = added_user_line(users.unused_code, content, ends_last_line=bool(content))
        joins = ("", *([] if content else _BEFORE_THE_FIRST))
        codes += [SystemCode(users.unused_code, (f"{line}{join}",)) for join in joins]
    return list(dict.fromkeys(codes))
