"""Folders by descriptor: a name is looked up in an open folder, and no symlink is followed.

Places are paths below such a folder, as "tables/text"; "" is the folder itself.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count

OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# To pass through a folder takes no right to read it.
_PASS = OPEN_FOLDER | getattr(os, "O_PATH", 0)

NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)
"""What opening a folder says where there is none, or a file or symlink in its place."""


@contextmanager
def opened(top: int, place: str = "", flags: int = OPEN_FOLDER) -> Iterator[int]:
    """Yield the folder `place` below the open folder `top`. Raise OSError, with the place in it."""
    parts = place.split("/") if place else ["."]
    folder = top
    try:
        for number, part in enumerate(parts, 1):
            step = os.open(part, flags if number == len(parts) else _PASS, dir_fd=folder)
            if folder != top:
                close(folder)
            folder = step
        yield folder
    except OSError as error:
        # The call knew only a part of the place, or a descriptor.
        if error.filename in (None, ".", *parts) and place:
            error.filename = place
        raise
    finally:
        if folder != top:
            close(folder)


def close(descriptor: int) -> None:
    """Close what nothing was written through: no error there means anything."""
    try:  # noqa: SIM105 - of 20,000 files, `suppress` takes 12 ms more
        os.close(descriptor)
    except OSError:
        pass


@contextmanager
def parent(top: int, place: str) -> Iterator[tuple[int, str]]:
    """Yield the folder that holds `place`, and the name in it."""
    above, _, name = place.rpartition("/")
    if not above:
        yield top, name
        return
    with opened(top, above, _PASS) as folder:
        yield folder, name


def status(top: int, place: str) -> os.stat_result | None:
    """Return what is at `place` below `top`, a symlink as itself; None where nothing is."""
    try:
        with parent(top, place) as (folder, name):
            return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError as error:
        if error.errno in NOTHING_THERE:
            return None
        raise


def is_folder(entry: os.stat_result | None) -> bool:
    """Return whether `status` found a folder."""
    return entry is not None and stat.S_ISDIR(entry.st_mode)


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a folder or file has beside its content."""

    mode: int
    uid: int
    gid: int
    mtime_ns: int

    @classmethod
    def of(cls, entry: os.stat_result) -> Attributes:
        """Return the attributes in a result of `status`."""
        return cls(stat.S_IMODE(entry.st_mode), entry.st_uid, entry.st_gid, entry.st_mtime_ns)


def give(top: int, place: str, wanted: Attributes) -> None:
    """Give the folder or file at `place` these attributes, where it has others.

    Raise OSError. The time of what belongs to somebody else stays as it is, which
    only its owner may change.
    """
    with parent(top, place) as (folder, name):
        current = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISDIR(current.st_mode) and not stat.S_ISREG(current.st_mode):
            return
        has = Attributes.of(current)
        if (has.uid, has.gid) != (wanted.uid, wanted.gid):
            os.chown(name, wanted.uid, wanted.gid, dir_fd=folder, follow_symlinks=False)
        if (has.mode, has.uid, has.gid) != (wanted.mode, wanted.uid, wanted.gid):
            os.chmod(name, wanted.mode, dir_fd=folder)
        if has.mtime_ns != wanted.mtime_ns:
            try:
                times = (current.st_atime_ns, wanted.mtime_ns)
                os.utime(name, ns=times, dir_fd=folder, follow_symlinks=False)
            except PermissionError:
                if has.uid == os.geteuid():
                    raise


def open_up(top: int, place: str) -> None:
    """Let the owner change the folder at `place`, if one is there."""
    with parent(top, place) as (folder, name):
        current = status(folder, name)
        if (
            current is not None
            and stat.S_ISDIR(current.st_mode)
            and ~current.st_mode & stat.S_IRWXU
        ):
            os.chmod(name, stat.S_IMODE(current.st_mode) | stat.S_IRWXU, dir_fd=folder)


def remove_tree(top: int, name: str) -> None:
    """Remove the folder `name` in `top` and all below it, read-only and very deep ones too.

    What is on another file system stays, and with it the folders above, which is an
    OSError. Raise OSError.
    """
    with opened(top, name) as folder:
        _empty(folder)
    os.rmdir(name, dir_fd=top)


def _empty(top: int) -> None:
    """Remove all in the open folder `top`.

    Folders inside folders are first moved up into `top`, so that no path and no
    stack grows with the depth.
    """
    device = os.fstat(top).st_dev
    names = set(os.listdir(top))
    free = (name for n in count() if (name := f".{n}") not in names)
    pending = ["."]
    while pending:
        folder_name = pending.pop()
        with opened(top, "" if folder_name == "." else folder_name) as folder:
            if os.fstat(folder).st_dev != device:
                continue
            with os.scandir(folder) as entries:
                children = list(entries)
            for entry in children:
                if not entry.is_dir(follow_symlinks=False):
                    os.unlink(entry.name, dir_fd=folder)
                    continue
                # A new parent, too, changes the folder's own `..`.
                open_up(folder, entry.name)
                name = entry.name if folder_name == "." else next(free)
                if folder_name != ".":
                    os.rename(entry.name, name, src_dir_fd=folder, dst_dir_fd=top)
                pending.append(name)
        if folder_name != ".":
            os.rmdir(folder_name, dir_fd=top)
