"""The changes that a recording makes to a database before the call."""

from __future__ import annotations

import base64
import shutil
from contextlib import AbstractContextManager
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec

from pytest_reedbackup.databases.held_locks import held


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

    def lock_held(self, base: Path) -> AbstractContextManager[None]:
        """Hold the lock file's exclusive flock, as a writer in another process does."""
        return held({self._in(base): "throughout"})

    def _in(self, base: Path) -> Path:
        relative = PurePosixPath(self.path)
        if relative.is_absolute() or ".." in relative.parts:
            raise ValueError(f"a recorded step leaves the database: {self.path!r}")
        return base / relative
