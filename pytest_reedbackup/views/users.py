"""users.dict as contract `last` says it is to be read ("The code of user system").

Plain and slow on purpose, by a stranger to the port.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from pytest_reedbackup.views.tables import rust_lines, rust_number
from reedbase_backup.types import U32_MAX

SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Users:
    """The users of a base, as far as users.dict was read."""

    names: Sequence[tuple[int, str]]
    """Code and name in the file's order; a later line with the same name wins."""
    is_damaged: bool
    """Whether a line, or the whole file, could not be read."""

    @property
    def system(self) -> int | None:
        """The code of the user system; None where it has none."""
        return {name: code for code, name in self.names}.get(SYSTEM)

    @property
    def next_code(self) -> int:
        """1 + the largest code, 1 where there is none, and 0 after the last one that there is."""
        return (max((code for code, _ in self.names), default=0) + 1) % (U32_MAX + 1)

    @property
    def unused_code(self) -> int:
        """`next_code`, or the smallest one that no line has where a line has that."""
        taken = {code for code, _ in self.names}
        wanted = self.next_code
        return wanted if wanted not in taken else next(n for n in count() if n not in taken)


def system_code(base: Path) -> int:
    """Return the code by which a restore of `base` writes: that of system, the next one if new.

    A missing registry is made before the call, with system as 0 (BASELINE.md, "The adapter's
    duty").
    """
    try:
        users = read_users((base / "registry" / "users.dict").read_bytes())
    except FileNotFoundError:
        return 0
    return users.next_code if users.system is None else users.system


def read_users(content: bytes) -> Users:
    """Return the lines up to the first that cannot be read; none of a file that is not UTF-8."""
    try:
        content.decode()
    except UnicodeDecodeError:
        return Users((), is_damaged=True)
    names: list[tuple[int, str]] = []
    for line in rust_lines(content)[1:]:
        if len(fields := line.decode().split("|")) < 2:
            continue
        if (code := rust_number(fields[0], U32_MAX)) is None:
            return Users(names, is_damaged=True)
        names.append((code, fields[1]))
    return Users(names, is_damaged=False)


def readable_users(content: bytes, *, with_first: bool = False) -> Users:
    """Return all lines that can be read, also those behind one that cannot; the safe thing (D16).

    The first line is the header, whatever it holds, unless `with_first`.
    """
    names = []
    for line in rust_lines(content)[0 if with_first else 1 :]:
        fields = line.decode("utf-8", "surrogateescape").split("|")
        code = rust_number(fields[0], U32_MAX) if len(fields) > 1 else None
        if code is not None and _is_text(line):
            names.append((code, fields[1]))
    return Users(names, read_users(content).is_damaged)


def _is_text(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
