"""Looking up paths of a fake file system at once, where there is no symlink on the way.

pyfakefs looks at each part of a path a dozen times, which is most of the time that a call on
a fake disk takes. What is found here it would find, too; all else is left to it.
"""

from __future__ import annotations

import re
import stat
from typing import Any

from pyfakefs.fake_file import FakeDirectory, FakeFile
from pyfakefs.fake_filesystem import FakeFilesystem
from pyfakefs.helpers import is_root

_REPLACED = (
    *("resolve", "lresolve", "resolve_path", "exists", "_is_of_type"),
    *("absnormpath", "normpath"),
)
# Empty parts, dots, and the end of such: what is left over would be another path.
_NOT_PLAIN = re.compile(r"/(?:\.{0,2})(?:/|$)")


class QuickLookup:
    """The lookups of a file system, in the place of its own."""

    def __init__(self, filesystem: FakeFilesystem) -> None:
        self._filesystem = filesystem
        self._resolve = filesystem.resolve
        self._lresolve = filesystem.lresolve
        self._resolve_path = filesystem.resolve_path
        self._exists = filesystem.exists
        self._is_of_type = filesystem._is_of_type
        self._absnormpath = filesystem.absnormpath
        self._normpath = filesystem.normpath

    @classmethod
    def install(cls, filesystem: FakeFilesystem) -> None:
        """Have `filesystem` look up its paths so. Only root is kept from nothing on the way."""
        if is_root():
            quick: Any = cls(filesystem)
            for name in _REPLACED:
                setattr(filesystem, name, getattr(quick, name.lstrip("_")))

    def resolve(self, path: Any, follow_symlinks: bool = True, *args: Any, **kwargs: Any) -> Any:
        """Return what is at `path`. Raise OSError."""
        node = self._node(path)
        if node is not None and not (follow_symlinks and _is_symlink(node)):
            return node
        return self._resolve(path, follow_symlinks, *args, **kwargs)

    def lresolve(self, path: Any) -> Any:
        """Return what is at `path`, a symlink as itself. Raise OSError."""
        node = self._node(path)
        return self._lresolve(path) if node is None else node

    def resolve_path(self, path: Any, allow_fd: bool = False) -> Any:
        """Return the path without symlinks. Raise OSError."""
        node = self._node(path)
        if node is None or _is_symlink(node):
            return self._resolve_path(path, allow_fd)
        return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))

    def exists(self, path: Any, check_link: bool = False) -> bool:
        """Return whether something is at `path`."""
        node = self._node(path)
        if node is not None and not _is_symlink(node):
            return True
        return self._exists(path, check_link)

    def is_of_type(self, path: Any, flag: int, follow_symlinks: bool = True) -> bool:
        """Return whether something of a type is at `path`."""
        node = self._node(path)
        if node is not None and not (follow_symlinks and _is_symlink(node)):
            return stat.S_IFMT(node.st_mode) == flag
        return self._is_of_type(path, flag, follow_symlinks)

    def absnormpath(self, path: Any) -> Any:
        """Return the absolute path without `.` and `..`."""
        return path if _is_plain(path) else self._absnormpath(path)

    def normpath(self, path: Any) -> Any:
        """Return the path without `.` and `..`."""
        return path if _is_plain(path) else self._normpath(path)

    def _node(self, path: Any) -> FakeFile | None:
        """Return what is at a plain absolute path; None where that is not to be told at once."""
        if type(path) is not str or not path.startswith("/") or path.endswith("/"):
            return None
        node: FakeFile = self._filesystem.root
        for part in path[1:].split("/"):
            if not isinstance(node, FakeDirectory) or part in ("", ".."):
                return None
            if part != ".":
                below = node.entries.get(part)
                if below is None:
                    return None
                node = below
        return node


def path_of(node: Any) -> str:
    """Return the path of a folder or file."""
    names = []
    while (above := node.parent_dir and node.parent_dir()) is not None:
        names.append(node.name)
        node = above
    return "/" + "/".join(reversed(names))


def _is_plain(path: Any) -> bool:
    return type(path) is str and path.startswith("/") and _NOT_PLAIN.search(path) is None


def _is_symlink(node: FakeFile) -> bool:
    return stat.S_ISLNK(node.st_mode)
