"""The registry: names of actions and users behind the codes in version.log.

    registry/actions.dict   code|name|description
    registry/users.dict     code|username|created_at (Unix seconds)

Both begin with those words as a header (contract `last`, "On disk"). Where a
file is missing, the codes that every registry starts with apply.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

from reedbase_backup.disk.durable import sync_file
from reedbase_backup.errors import ReedError
from reedbase_backup.last import files, locks
from reedbase_backup.last.os_errors import exists, reported
from reedbase_backup.last.versions.version_log import parse_number, split_lines
from reedbase_backup.types import U8_MAX, U32_MAX

BasePath = str | os.PathLike[str]
Clock = Callable[[], int]

UPDATE = 2
INIT = 5
SYSTEM = "system"

ACTIONS_HEADER = "code|name|description"
ACTIONS = {
    0: ("delete", "Delete operation"),
    1: ("create", "Create new entry"),
    2: ("update", "Update existing entry"),
    3: ("rollback", "Rollback to previous version"),
    4: ("compact", "Compact/cleanup old versions"),
    5: ("init", "Initialise table"),
    6: ("snapshot", "Full snapshot (periodic)"),
    7: ("automerge", "Automatic merge of concurrent writes"),
    8: ("conflict", "Conflict detected"),
    9: ("resolve", "Manual conflict resolution"),
}
USERS_HEADER = "code|username|created_at"
USERS = {0: SYSTEM, 1: "admin"}


def init_registry(base_path: BasePath, *, clock: Clock = time.time_ns) -> None:
    """Make registry/ and its two dictionaries where they are missing; others stay as they are.

    `clock` gives Unix nanoseconds. Raise IoError (create_registry), and
    LockTimeout where another process keeps the registry.
    """
    folder = Path(base_path) / "registry"
    with reported("create_registry"):
        if not folder.is_dir():
            folder.mkdir(parents=True, exist_ok=True)
            sync_file(str(folder.parent))
        with locks.folder(folder, "registry"):
            _make(folder / "actions.dict", action_lines())
            _make(folder / "users.dict", _first_users(clock))


def action_lines() -> list[str]:
    """Return the lines of actions.dict, the same in every database."""
    actions = (f"{code}|{name}|{text}" for code, (name, text) in ACTIONS.items())
    return [ACTIONS_HEADER, *actions]


def action_names(base_path: BasePath) -> dict[int, str]:
    """Return the action names by code, as far as actions.dict can be read."""
    names = _read(Path(base_path) / "registry" / "actions.dict", U8_MAX)
    return dict(names) if names else {code: name for code, (name, _) in ACTIONS.items()}


def user_names(base_path: BasePath) -> dict[int, str]:
    """Return the user names by code, as far as users.dict can be read."""
    names = _read(_users_path(base_path), U32_MAX)
    return dict(USERS.items() if names is None else names)


def user_code(base_path: BasePath, name: str, *, clock: Clock = time.time_ns) -> int:
    """Return the code of user `name`, who is added if new; a missing registry is made first.

    Where lines of users.dict cannot be read, the others count, also those behind
    the damage, and no code of theirs is given away; a last line without its
    newline gets one. (The port's answer to D16: the baseline stops reading at
    the damage, and glues its line to the last one.)

    Raise ValueError for a name that a dictionary line cannot hold, IoError
    (append_users_dict) where the name cannot be added, LockTimeout where
    another process keeps the registry.
    """
    if not name.strip() or any(mark in name for mark in "|\r\n"):
        raise ValueError(f"a user name must have letters and neither '|' nor line ends: {name!r}")
    path = _users_path(base_path)
    code = _code_of(path, name)
    if code is not None:
        return code
    if not exists(path):
        # Why it cannot be made is seen again below, where the line is to be added.
        with suppress(ReedError):
            init_registry(base_path, clock=clock)
    with reported("append_users_dict"), locks.folder(path.parent, "registry"):
        code = _code_of(path, name)
        if code is None:
            code = _add(path, name, clock)
        return code


def _add(path: Path, name: str, clock: Clock) -> int:
    """Add `name` to users.dict and return its code; the caller holds the registry's lock."""
    content = path.read_bytes()
    code = _next_code(content, name)
    # In an empty file the line would be the header, and found by nobody.
    content = content or f"{USERS_HEADER}\n".encode()
    separator = b"" if content.endswith(b"\n") else b"\n"
    line = f"{code}|{name}|{clock() // 10**9}\n".encode()
    files.replace(path, content + separator + line)
    return code


def _code_of(path: Path, name: str) -> int | None:
    """Return the code in the last line with `name`; None without one, or without the file."""
    return {known: code for code, known in _read(path, U32_MAX) or ()}.get(name)


def _next_code(content: bytes, name: str) -> int:
    """Return the code for the new user `name`: one that no other's line has.

    It is the baseline's, 1 + the largest (0 after the last that there is),
    unless that is taken. The first line is nobody's, whatever it holds; but
    where the header is lost, its code may be in the logs.
    """
    header, *lines = split_lines(content)
    known = {code for code, _ in _entries(lines, U32_MAX)}
    first = {code for code, other in _entries([header], U32_MAX) if other != name}
    code = _one_more(known)
    return code if code not in first else _one_more(known | first)


def _one_more(codes: Collection[int]) -> int:
    code = (max(codes, default=0) + 1) % (U32_MAX + 1)
    return code if code not in codes else next(n for n in count() if n not in codes)


def _users_path(base_path: BasePath) -> Path:
    return Path(base_path) / "registry" / "users.dict"


def _first_users(clock: Clock) -> list[str]:
    created_at = clock() // 10**9
    return [USERS_HEADER, *(f"{code}|{name}|{created_at}" for code, name in USERS.items())]


def _make(path: Path, lines: list[str]) -> None:
    if not path.exists():
        files.replace(path, "".join(f"{line}\n" for line in lines).encode())


def _read(path: Path, limit: int) -> list[tuple[int, str]] | None:
    """Return (code, name) of each line that can be read; None where there is no file.

    The first line is the header, whatever it holds.
    """
    try:
        _header, *lines = split_lines(path.read_bytes())
    except FileNotFoundError:
        return None
    except OSError:
        # A folder, or closed to us: who adds a user meets the error.
        return []
    return list(_entries(lines, limit))


def _entries(lines: Iterable[bytes], limit: int) -> Iterator[tuple[int, str]]:
    """Give (code, name) of each line that can be read.

    Blank lines and lines of fewer than two fields are passed over, as by the
    baseline, and so are those that it stops at: no UTF-8, or a code that is no
    number up to `limit`.
    """
    for line in lines:
        try:
            fields = line.decode().split("|")
        except UnicodeDecodeError:
            continue
        code = parse_number(fields[0], limit)
        if len(fields) >= 2 and code is not None:
            yield code, fields[1]
