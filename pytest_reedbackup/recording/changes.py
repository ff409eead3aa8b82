"""The changes that a call makes on disk: found when it is recorded, made again when replayed.

They are those of the folder around the base: so a new base is among them, and
what an implementation writes beside the base, where it must not.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import quote_from_bytes, unquote_to_bytes

from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.recording.file import blob_name
from pytest_reedbackup.recording.format import Change
from pytest_reedbackup.views.tree import ROOT, Entry, Tree

_READABLE = " !#$&'()*+,/:;=@[]{}"
_TEMPORARY = ".reedbackup-replay"
# How far above a base that does not exist the nearest folder may be.
_MOST_LEVELS = 4


class Unrecordable(Exception):
    """A call made something that no recording can hold."""


def folder_around(base: Path) -> Path:
    """Return the nearest folder above the base that exists.

    Raise Unrecordable where it is too far above.
    """
    above = Path(os.path.normpath(base)).parents
    for folder in list(above)[:_MOST_LEVELS]:
        if folder.is_dir():
            return folder
    raise Unrecordable(f"nothing exists around {base}")


@dataclass(frozen=True)
class Changes:
    """The changes since a snapshot."""

    gone: list[str]
    """The paths of what is no longer there, or is of another kind."""
    changes: list[Change]
    blobs: dict[str, bytes]
    """The contents of the files, by the name that a recording has for them."""


@dataclass(frozen=True)
class InodeSnapshot:
    """A folder with inodes: a file that is overwritten keeps its inode, a replaced one does not.

    Times count as changes, too: the next call may look at them. Contents are not kept: of most
    files a call changes nothing.
    """

    root: Path
    entries: Mapping[str, Entry]
    inodes: Mapping[str, int]
    """By path."""

    @classmethod
    def read(cls, root: Path) -> InodeSnapshot:
        """Read the folder as it is now."""
        return cls(root, Tree.read(root, exclude=(ROOT,)).entries, dict(_inodes(root, "")))

    def changes(self) -> Changes:
        """Return the changes until now. Raise Unrecordable for new FIFOs, sockets and devices."""
        now = InodeSnapshot.read(self.root)
        before, after = self.entries, now.entries
        gone = [n for n, e in before.items() if n not in after or after[n].kind != e.kind]
        paths = [
            path
            for path, entry in sorted(after.items())
            if before.get(path) != entry
            or (entry.kind == "file" and self.inodes[path] != now.inodes[path])
        ]
        blobs: dict[str, bytes] = {}
        changes = [self._change(path, now, blobs) for path in paths]
        return Changes([_quoted(path) for path in sorted(gone)], changes, blobs)

    def _change(self, path: str, now: InodeSnapshot, blobs: dict[str, bytes]) -> Change:
        """Return the change at a path, and add the content of a file to `blobs`."""
        entry, content = now.entries[path], ""
        if entry.kind == "file":
            blob = (self.root / path).read_bytes()
            content = blob_name(blob)
            blobs[content] = blob
        elif entry.kind == "symlink":
            content = _quoted(entry.content)
        elif entry.kind != "folder":
            raise Unrecordable(f"a {entry.kind} was made: {path!r}")
        return Change(
            path=_quoted(path),
            kind=entry.kind,  # type: ignore[arg-type]
            mode=entry.mode,
            mtime_ns=entry.mtime_ns,
            content=content,
            in_place=entry.kind == "file" and self.inodes.get(path) == now.inodes[path],
        )


def make_again(
    folder: Path, gone: list[str], changes: list[Change], blob: Callable[[str], bytes]
) -> None:
    """Make the changes of a recorded call. Raise ValueError for a path that leaves `folder`."""
    by_path = {_path(folder, change.path): change for change in changes}
    gone_paths = [_path(folder, name) for name in gone]
    with _writable({path.parent for path in (*by_path, *gone_paths)}):
        for path in reversed(gone_paths):
            remove_tree(path)
        for path, change in by_path.items():
            _make(path, change, blob)
    # The deepest first: a file that is made in a folder changes the time of the folder.
    for path, change in reversed(by_path.items()):
        if change.kind != "symlink":
            path.chmod(change.mode)
        os.utime(path, ns=(change.mtime_ns, change.mtime_ns), follow_symlinks=False)


def _make(path: Path, change: Change, blob: Callable[[str], bytes]) -> None:
    if change.kind == "folder":
        path.mkdir(mode=0o700, exist_ok=True)
        path.chmod(0o700)  # until everything in it is made
    elif change.kind == "symlink":
        path.unlink(missing_ok=True)
        path.symlink_to(os.fsdecode(unquote_to_bytes(change.content)))
    elif change.in_place and path.is_file():
        path.chmod(0o600)
        path.write_bytes(blob(change.content))
    else:
        temporary = path.with_name(_TEMPORARY)
        temporary.write_bytes(blob(change.content))
        temporary.replace(path)


@contextmanager
def _writable(folders: set[Path]) -> Iterator[None]:
    """Give write permission for these folders for a while, and then restore their modes."""
    closed = {}
    for folder in folders:
        if folder.is_dir() and (mode := folder.stat().st_mode & 0o7777) & 0o300 != 0o300:
            closed[folder] = mode
            folder.chmod(mode | 0o700)
    yield
    for folder, mode in closed.items():
        if folder.is_dir():
            folder.chmod(mode)


def _inodes(folder: Path | str, prefix: str) -> Iterator[tuple[str, int]]:
    with os.scandir(folder) as children:
        for child in children:
            yield prefix + child.name, child.inode()
            if child.is_dir(follow_symlinks=False):
                yield from _inodes(child.path, f"{prefix}{child.name}/")


def _path(folder: Path, quoted: str) -> Path:
    relative = PurePosixPath(os.fsdecode(unquote_to_bytes(quoted)))
    if relative.is_absolute() or ".." in relative.parts or not relative.parts:
        raise ValueError(f"a recorded change leaves its folder: {quoted!r}")
    return folder / relative


def _quoted(text: str) -> str:
    return quote_from_bytes(os.fsencode(text), _READABLE)
