"""What a folder tree holds, to compare before and after."""

from __future__ import annotations

import hashlib
import os
import stat
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = "."

_CHUNK: Final = 1 << 20
_KINDS: Final = {
    stat.S_IFREG: "file",
    stat.S_IFDIR: "folder",
    stat.S_IFLNK: "symlink",
    stat.S_IFIFO: "fifo",
    stat.S_IFSOCK: "socket",
    stat.S_IFCHR: "character device",
    stat.S_IFBLK: "block device",
}


class Entry(NamedTuple):
    """One name in a tree.

    kind      "file", "folder", "symlink", "fifo", "socket" or a device
    mode      permission bits
    size      bytes of a file, else 0
    mtime_ns  Unix nanoseconds
    content   SHA-256 of a file, target of a symlink, else ""
    """

    kind: str
    mode: int
    size: int
    mtime_ns: int
    content: str


@dataclass(frozen=True)
class Tree:
    """What a folder held when it was read: relative path (posix) → entry.

    The folder itself is the entry ".": a tree without it was read where there
    was nothing. Names that are no UTF-8 come as `os.fsdecode` gives them.
    """

    entries: Mapping[str, Entry]

    @classmethod
    def read(cls, path: Path, *, exclude: tuple[str, ...] = ()) -> Tree:
        """Read `path`, without the relative paths in `exclude` and what is below them.

        "." in `exclude` leaves out the entry of the folder itself only. A
        missing `path` gives the empty tree. Symlinks are not followed; the path
        that is given may be one.
        """
        entries: dict[str, Entry] = {}
        try:
            status = path.stat()
        except FileNotFoundError:
            return cls(entries)
        left_out = frozenset(exclude)
        if stat.S_ISDIR(status.st_mode):
            if ROOT not in left_out:
                entries[ROOT] = _entry(status, "")
            opened = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
            entries.update(_walk(opened, path, "", left_out))
        else:
            content = _sha256(str(path), status) if stat.S_ISREG(status.st_mode) else ""
            entries[ROOT] = _entry(status, content)
        return cls(entries)

    @property
    def exists(self) -> bool:
        """Whether there was something to read."""
        return bool(self.entries)

    def without(self, names: Collection[str]) -> Tree:
        """Return the tree without the entries of these paths; what is below them stays."""
        return Tree({path: entry for path, entry in self.entries.items() if path not in names})

    def differences(self, other: Tree, *, mtime: bool = False, limit: int | None = 20) -> list[str]:
        """Return how `other`, which was found, differs from this tree, which was expected.

        One sentence a path, in the order of paths, at most `limit` of them and
        then one that counts the rest. mtimes are compared when `mtime` is true.
        """
        sentences: list[str] = []
        for path in sorted(self.entries.keys() | other.entries.keys()):
            difference = _difference(self.entries.get(path), other.entries.get(path), mtime)
            if difference:
                sentences.append(f"{printable(path)}: {difference}")
        if limit is not None and len(sentences) > limit:
            rest = len(sentences) - limit
            sentences[limit:] = [f"… and {rest} more {'path' if rest == 1 else 'paths'}"]
        return sentences


def _walk(
    folder: int, root: Path, prefix: str, left_out: frozenset[str]
) -> Iterator[tuple[str, Entry]]:
    """Yield the entries below the open folder, which is closed at the end."""
    try:
        with os.scandir(folder) as children:
            for child in children:
                path = prefix + child.name
                if path in left_out:
                    continue
                try:
                    status = child.stat(follow_symlinks=False)
                    entry = _entry(status, _content(child.name, status, folder))
                    is_folder = stat.S_ISDIR(status.st_mode)
                    inner = _open(child.name, folder) if is_folder else -1
                except OSError as error:
                    # It says the name in the open folder.
                    error.filename = str(root / path)
                    raise
                yield path, entry
                if is_folder:
                    yield from _walk(inner, root, f"{path}/", left_out)
    finally:
        os.close(folder)


def _content(name: str, status: os.stat_result, folder: int) -> str:
    if stat.S_ISREG(status.st_mode):
        return _sha256(name, status, folder)
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(name, dir_fd=folder)
    return ""


def _entry(status: os.stat_result, content: str) -> Entry:
    kind = _KINDS[stat.S_IFMT(status.st_mode)]
    size = status.st_size if kind == "file" else 0
    return Entry(kind, stat.S_IMODE(status.st_mode), size, status.st_mtime_ns, content)


def _sha256(name: str, status: os.stat_result, folder: int | None = None) -> str:
    digest = hashlib.sha256()
    if status.st_size:
        file = _open(name, folder)
        try:
            # A buffer of a whole chunk takes longer than a small file.
            while block := os.read(file, min(status.st_size, _CHUNK)):
                digest.update(block)
        finally:
            os.close(file)
    return digest.hexdigest()


def _open(name: str, folder: int | None) -> int:
    # O_NONBLOCK: what became a FIFO since it was looked at must not hang us.
    return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)


def _difference(expected: Entry | None, found: Entry | None, mtime: bool) -> str:
    if expected is None:
        return "should not be there"
    if found is None:
        return "missing"
    if expected.kind != found.kind:
        return f"{expected.kind} expected, {found.kind} found"
    differences = []
    if expected.content != found.content:
        differences.append(_content_difference(expected, found))
    if expected.mode != found.mode:
        differences.append(f"mode {expected.mode:04o} expected, {found.mode:04o} found")
    if mtime and expected.mtime_ns != found.mtime_ns:
        differences.append(f"mtime {expected.mtime_ns} ns expected, {found.mtime_ns} found")
    return "; ".join(differences)


def _content_difference(expected: Entry, found: Entry) -> str:
    if expected.kind == "symlink":
        return f"target {expected.content!r} expected, {found.content!r} found"
    return (
        f"content differs ({expected.size} bytes, sha256 {expected.content[:8]}… expected; "
        f"{found.size} bytes, {found.content[:8]}… found)"
    )


def printable(name: str) -> str:
    """Return a name or path on one line: as it stands if it can be read there, else quoted."""
    is_plain = name.isprintable() and name.strip() == name and not name.startswith(("'", '"'))
    return name if is_plain and unicodedata.is_normalized("NFC", name) else ascii(name)
