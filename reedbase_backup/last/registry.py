"""The registry: names of actions and users behind the codes in version.log.

    registry/actions.dict   code|name|description
    registry/users.dict     code|username|created_at (Unix seconds)

Both begin with those words as a header (contract `last`, "On disk"). Where a
file is missing, the codes that every registry starts with apply.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from reedbase_backup.errors import IoError
from reedbase_backup.last import files, locks
from reedbase_backup.last.os_errors import reported, reported_write
from reedbase_backup.last.version_log import U8_MAX, U32_MAX, parse_number

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

    `clock` gives Unix nanoseconds. Raises IoError or PermissionDenied.
    """
    folder = Path(base_path) / "registry"
    with reported_write("create_registry", folder):
        folder.mkdir(parents=True, exist_ok=True)
    with locks.exclusive(folder, "registry"):
        _make(folder / "actions.dict", action_lines())
        _make(folder / "users.dict", _first_users(clock))


def action_lines() -> list[str]:
    """The lines of actions.dict, the same in every database."""
    actions = (f"{code}|{name}|{text}" for code, (name, text) in ACTIONS.items())
    return [ACTIONS_HEADER, *actions]


def action_names(base_path: BasePath) -> dict[int, str]:
    """Action names by code. Raises IoError if actions.dict is damaged."""
    names = _read(Path(base_path) / "registry" / "actions.dict", ACTIONS_HEADER, U8_MAX)
    if names is None:
        return {code: name for code, (name, _) in ACTIONS.items()}
    return dict(names)


def user_names(base_path: BasePath) -> dict[int, str]:
    """User names by code. Raises IoError if users.dict is damaged."""
    return dict(_users(base_path))


def user_code(base_path: BasePath, name: str, *, clock: Clock = time.time_ns) -> int:
    """The code of user `name`, who is added with the next free one if new.

    Raises ValueError for a name that a dictionary line cannot hold, IoError if
    users.dict is damaged, PermissionDenied if it cannot be written.
    """
    if not name.strip() or any(mark in name for mark in "|\r\n"):
        raise ValueError(f"a user name must have letters and neither '|' nor line ends: {name!r}")
    code = _code_of(base_path, name)
    if code is not None:
        return code
    init_registry(base_path, clock=clock)
    path = _users_path(base_path)
    with locks.exclusive(path.parent, "registry"):
        code = _code_of(base_path, name)
        if code is not None:
            return code
        code = max(user_names(base_path), default=-1) + 1
        if code > U32_MAX:
            raise IoError("write_users_dict", f"no code is left for user {name!r}")
        with reported_write("write_users_dict", path):
            known = path.read_bytes()
            separator = b"" if known.endswith(b"\n") else b"\n"
            line = f"{code}|{name}|{clock() // 10**9}\n".encode()
            files.replace(path, known + separator + line)
        return code


def _code_of(base_path: BasePath, name: str) -> int | None:
    """The code in the last line with `name`: a later line wins."""
    codes = {known: code for code, known in _users(base_path)}
    return codes.get(name)


def _users(base_path: BasePath) -> list[tuple[int, str]]:
    names = _read(_users_path(base_path), USERS_HEADER, U32_MAX)
    return list(USERS.items()) if names is None else names


def _users_path(base_path: BasePath) -> Path:
    return Path(base_path) / "registry" / "users.dict"


def _first_users(clock: Clock) -> list[str]:
    created_at = clock() // 10**9
    return [USERS_HEADER, *(f"{code}|{name}|{created_at}" for code, name in USERS.items())]


def _make(path: Path, lines: list[str]) -> None:
    with reported_write("create_registry", path):
        if not path.exists():
            files.replace(path, "".join(f"{line}\n" for line in lines).encode())


def _read(path: Path, header: str, limit: int) -> list[tuple[int, str]] | None:
    """(code, name) of each line but the header; None if there is no such file."""
    operation = f"read_{path.stem}_dict"
    with reported(operation):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
    try:
        lines = content.decode().split("\n")
    except UnicodeDecodeError:
        raise IoError(operation, "stream did not contain valid UTF-8") from None
    names = []
    for number, line in enumerate(lines, 1):
        fields = line.rstrip("\r").split("|")
        if fields == [""] or (number == 1 and fields == header.split("|")):
            continue
        code = parse_number(fields[0], limit)
        if len(fields) < 3 or code is None:
            raise IoError(operation, f"Invalid format at line {number}")
        names.append((code, fields[1]))
    return names
