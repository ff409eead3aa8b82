"""A tree held in memory, to be put down again and again, on a real disk or a fake one."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.views import tree
from pytest_reedbackup.views.tree import Tree


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder, file or symlink of the tree; `path` is relative, and empty for the top."""

    path: str
    mode: int
    mtime_ns: int
    content: bytes
    """A file's bytes, or where a symlink leads."""

    @property
    def is_folder(self) -> bool:
        """Return whether it is a folder."""
        return stat.S_ISDIR(self.mode)

    @property
    def is_symlink(self) -> bool:
        """Return whether it is a symlink."""
        return stat.S_ISLNK(self.mode)

    def seen(self) -> tree.Entry:
        """Return it as a tree that is compared has it."""
        if self.is_folder:
            return tree.Entry("folder", stat.S_IMODE(self.mode), 0, self.mtime_ns, "")
        if self.is_symlink:
            target = os.fsdecode(self.content)
            return tree.Entry("symlink", stat.S_IMODE(self.mode), 0, self.mtime_ns, target)
        digest = hashlib.sha256(self.content).hexdigest()
        return tree.Entry("file", stat.S_IMODE(self.mode), len(self.content), self.mtime_ns, digest)


@dataclass(frozen=True, slots=True)
class StoredTree:
    """Folders, files and symlinks with contents, modes and mtimes, parents first."""

    entries: tuple[Entry, ...]

    @classmethod
    def read(cls, top: Path) -> StoredTree:
        """Read the folder `top`. Raise ValueError for what is no folder, file or symlink."""
        return cls(tuple(_entries(top, "")))

    @property
    def size(self) -> int:
        """Return how many bytes all files hold."""
        return sum(len(entry.content) for entry in self.entries if stat.S_ISREG(entry.mode))

    def tree(self) -> Tree:
        """Return it as `Tree.read` would, without the top itself."""
        return Tree({entry.path: entry.seen() for entry in self.entries if entry.path})

    def write(self, top: Path) -> None:
        """Write the tree to `top`, which does not exist yet."""
        for entry in self.entries:
            path = top / entry.path
            if entry.is_folder:
                path.mkdir()
            elif entry.is_symlink:
                path.symlink_to(os.fsdecode(entry.content))
            else:
                path.write_bytes(entry.content)
        for entry in reversed(self.entries):  # a folder's last, which what is put in it changes
            path, times = top / entry.path, (entry.mtime_ns, entry.mtime_ns)
            os.utime(path, ns=times, follow_symlinks=False)
            if not entry.is_symlink:
                path.chmod(stat.S_IMODE(entry.mode))


def _entries(top: Path, path: str) -> Iterator[Entry]:
    status = (top / path).lstat()
    content = b""
    if stat.S_ISREG(status.st_mode):
        content = (top / path).read_bytes()
    elif stat.S_ISLNK(status.st_mode):
        content = os.fsencode(os.readlink(top / path))
    elif not stat.S_ISDIR(status.st_mode):
        raise ValueError(f"{path}: only folders, files and symlinks can be held in memory")
    yield Entry(path, status.st_mode, status.st_mtime_ns, content)
    if stat.S_ISDIR(status.st_mode):
        for name in sorted(os.listdir(top / path)):
            yield from _entries(top, f"{path}/{name}" if path else name)
