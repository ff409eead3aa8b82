"""The parts of a database that hold no rows, and how its files come to disk.

Modes and mtimes are set, not left to the umask and the clock: a built tree is
the same on every machine. Source: contract `last`, "On disk".
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from random import Random
from typing import Final

from reedbase_backup.last.registry import USERS_HEADER, action_lines

# November 2023: before any clock that a test runs under.
EPOCH_NS: Final = 1_700_000_000_000_000_000
_EPOCH: Final = EPOCH_NS // 10**9

PAGE: Final = 4096

USERS: Final = ("system", "admin", "editor", "übersetzer")


def write_file(path: Path, content: bytes, mtime_ns: int = EPOCH_NS, mode: int = 0o644) -> None:
    """Write a new file that last changed at `mtime_ns` (Unix nanoseconds)."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb", buffering=0) as file:
        remaining = memoryview(content)
        while remaining:
            remaining = remaining[file.write(remaining) :]
        os.fchmod(descriptor, mode)
        os.utime(descriptor, ns=(mtime_ns, mtime_ns))


def make_folder(path: Path) -> Path:
    """Make a folder; its mtime and other modes are for `finish_folder`, once it is filled."""
    path.mkdir()
    path.chmod(0o755)
    return path


def finish_folder(path: Path, mtime_ns: int = EPOCH_NS, mode: int = 0o755) -> None:
    """Set mode and mtime of a folder that nothing is written to any more."""
    os.utime(path, ns=(mtime_ns, mtime_ns))
    path.chmod(mode)


def write_registry(base: Path) -> None:
    """Write registry/: the dictionaries of actions and users."""
    registry = make_folder(base / "registry")
    users = (f"{code}|{name}|{_EPOCH}" for code, name in enumerate(USERS))
    for name, lines in (
        ("actions.dict", action_lines()),
        ("users.dict", [USERS_HEADER, *users]),
    ):
        write_file(registry / name, "".join(f"{line}\n" for line in lines).encode())
    finish_folder(registry)


def write_index(folder: Path, table: str, column: str, rng: Random) -> None:
    """Write the two files of an index; opaque: two half-filled pages, a few bytes of log."""
    pages = b"".join(rng.randbytes(PAGE // 2) + bytes(PAGE // 2) for _ in range(2))
    write_file(folder / f"{table}.{column}.btree", pages)
    write_file(folder / f"{table}.{column}.wal", rng.randbytes(48))


def write_metadata(folder: Path, indexed: list[tuple[str, str]]) -> None:
    """Write indices/metadata.json about these tables' columns."""
    described = [
        {
            "table": table,
            "column": column,
            "backend": "btree",
            "created_at": _EPOCH,
            "query_pattern": "exact",
            "auto_created": number % 2 == 1,
            "usage_count": number * 7,
            "last_used": _EPOCH + number,
        }
        for number, (table, column) in enumerate(indexed)
    ]
    write_file(folder / "metadata.json", json.dumps(described, indent=2).encode())
