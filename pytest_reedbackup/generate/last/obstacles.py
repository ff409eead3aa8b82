"""Obstacles: what a generated base has in the place of a file or a folder that a call opens."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal
from urllib.parse import unquote_to_bytes

from msgspec import Struct

from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.databases.layout import finish_folder, make_folder, write_file

OUTSIDE = "outside"
"""The folder beside a base that some symlinks lead to; each copy of a base has its own."""
_INSIDE = "elsewhere"
_JUNK = b"of others\n"

ObstacleKind = Literal[
    "missing",
    "empty-file",
    "other-file",
    "folder",
    "full-folder",
    "link",
    "link-outside",
    "dangling",
    "dangling-outside",
    "link-to-nowhere",
    "read-only",
]
"""A `link` leads to what was there, or to a file of others where nothing was; a `dangling` one to a
name that can be made; the `link-to-nowhere` to one whose folder is missing too."""


def file_name(escaped: str) -> str:
    """Return a name as the operating system has it, given one with %XX for odd bytes."""
    return os.fsdecode(unquote_to_bytes(escaped))


class Obstacle(Struct, frozen=True):
    """Something else at a path."""

    path: str
    """Relative to the base or to a table's folder, with %XX for odd bytes."""
    kind: ObstacleKind

    def place(self, base: Path, number: int) -> None:
        """Put it there, if there is the folder for it; a symlink leads to the name `number`."""
        path = base / file_name(self.path)
        above = path.parent
        if above.is_symlink() or not above.is_dir():
            return
        modes = above.stat().st_mode & 0o7777
        match self.kind:
            case "read-only":
                if path.is_file() and not path.is_symlink():
                    path.chmod(0o444)
            case "link" | "link-outside":
                target = self._beside(base, number)
                if os.path.lexists(path):
                    path.rename(target)
                else:
                    write_file(target, _JUNK)
                _link(path, target)
                finish_folder(target.parent)
            case _:
                remove_tree(path)
                self._make(path, base, number)
        finish_folder(above, mode=modes)

    def _make(self, path: Path, base: Path, number: int) -> None:
        """Make what is there instead; what was there is gone by now."""
        match self.kind:
            case "empty-file":
                write_file(path, b"")
            case "other-file":
                write_file(path, _JUNK)
            case "folder" | "full-folder":
                make_folder(path)
                if self.kind == "full-folder":
                    write_file(path / "of others", _JUNK)
                finish_folder(path)
            case "dangling" | "dangling-outside":
                _link(path, self._beside(base, number))
            case "link-to-nowhere":
                _link(path, base / "no folder" / str(number))

    def _beside(self, base: Path, number: int) -> Path:
        """Return where a symlink of this kind leads: a free name in a folder that there is."""
        outside = self.kind.endswith("outside")
        folder = base.parent / OUTSIDE if outside else base / _INSIDE
        if not folder.exists():
            finish_folder(make_folder(folder))
            if not outside:
                finish_folder(base)
        return folder / str(number)


def _link(path: Path, target: Path) -> None:
    """Make a relative symlink, so that each copy of the base leads to its own files."""
    path.symlink_to(os.path.relpath(target, path.parent))
