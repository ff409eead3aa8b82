"""The changes that a recording makes to a database before the call."""

from __future__ import annotations

import base64
import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One change to a database before a call; `path` is relative to the base."""

    op: Literal["write", "delete", "delete_tree", "make_dir", "symlink", "lock"]
    path: str
    b64: str = ""
    target: str = ""

    def apply(self, base: Path) -> None:
        """Make the change. Raises ValueError for a path that leaves the base."""
        path = self._in(base)
        match self.op:
            case "write":
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(base64.b64decode(self.b64, validate=True))
            case "delete":
                path.unlink()
            case "delete_tree":
                shutil.rmtree(path)
            case "make_dir":
                path.mkdir(parents=True)
            case "symlink":
                path.symlink_to(self.target)
            case "lock":
                path.touch()

    @contextmanager
    def lock_held(self, base: Path) -> Iterator[None]:
        """Hold the lock file's exclusive flock, as a writer in another process does."""
        with self._in(base).open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield

    def _in(self, base: Path) -> Path:
        relative = PurePosixPath(self.path)
        if relative.is_absolute() or ".." in relative.parts:
            raise ValueError(f"a recorded step leaves the database: {self.path!r}")
        return base / relative
