"""A file system in a file, of which a copy at any moment is the disk as a power cut leaves it.

The file system is mounted through a loop device. What its cache has not written yet is not in
the file, so a copy of the file lacks just what a disk lacks whose power goes. The copy is
mounted in turn, at the same place: the file system's own journal replays, and what is there
then is what an implementation finds after the cut. Nothing is modelled.

Mounted with `noauto_da_alloc`, ext4 does not save programs that rename over a file which was
never synced; with `commit=300` no timer writes in the midst of a call. Both are allowed by
what POSIX promises, so an implementation that needs either counts on luck.
"""

from __future__ import annotations

import functools
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from pytest_reedbackup.databases.clone import extents
from pytest_reedbackup.injection.mounts import run_uninterrupted, unmounted_afterwards
from pytest_reedbackup.injection.scratch import scratch
from pytest_reedbackup.model.failures import MissingCapability

CAPABILITY = "power cuts"

_REMEDY = "run as root on Linux, or leave sweeps out by --reedbackup-faults=off"
_TRIES = 50
_BLOCK = 1 << 20


class FileSystem(StrEnum):
    """A kind of file system that disks are made with."""

    EXT4 = "ext4"
    XFS = "xfs"
    BTRFS = "btrfs"

    def make(self, image: Path) -> None:
        """Make an empty file system in the new file `image`. Raise MissingCapability."""
        with image.open("xb") as file:
            file.truncate(_KINDS[self].mebibytes << 20)
        _run([f"mkfs.{self}", *_KINDS[self].making, str(image)])

    @contextmanager
    def mounted(self, image: Path, place: Path) -> Iterator[None]:
        """Mount `image` at `place` for as long as the block runs. Raise MissingCapability."""
        options = _KINDS[self].mounting
        with unmounted_afterwards(place):
            _run(["mount", "-t", self.value, "-o", options, str(image), str(place)])
            yield


class _Kind(NamedTuple):
    mebibytes: int
    """The size of a disk, which is what the kind's mkfs takes at least; the file is sparse."""
    making: Sequence[str]
    """Options of mkfs."""
    mounting: str
    """Options of mount."""


_KINDS: Mapping[FileSystem, _Kind] = {
    FileSystem.EXT4: _Kind(
        48, ("-q", "-F", "-m", "0", "-O", "^resize_inode"), "loop,noauto_da_alloc,commit=300"
    ),
    # nouuid: a disk of before that somebody lingers on has the same one.
    FileSystem.XFS: _Kind(320, ("-q", "-f"), "loop,nouuid"),
    FileSystem.BTRFS: _Kind(128, ("-q", "-f"), "loop,commit=300"),
}


class Disk:
    """A disk with one content, to be used up again and again, and cut from its power."""

    def __init__(self, folder: Path, kind: FileSystem) -> None:
        """Make the disk, empty, in the existing folder `folder`. Raise MissingCapability."""
        if reason := why_not(kind):
            raise MissingCapability(CAPABILITY, f"{reason}; {_REMEDY}", tool=True)
        self.place = folder / "disk"
        """Where it is mounted while it is used."""
        self._folder = folder
        self._kind = kind
        self._prepared = folder / "prepared"
        self._used = folder / "used"
        self.place.mkdir()
        kind.make(self._prepared)

    @contextmanager
    def preparing(self) -> Iterator[Path]:
        """Mount it, for what is put there to be its content from then on."""
        with self._kind.mounted(self._prepared, self.place):
            yield self.place

    @contextmanager
    def used(self) -> Iterator[Path]:
        """Mount a copy of the prepared disk, in which anything may happen."""
        # In a new file: whoever lingers on the disk of before, which is then unmounted as they
        # leave, would have it mounted again, with all that is done there.
        self._used.unlink(missing_ok=True)
        _copy(self._prepared, self._used)
        with self._kind.mounted(self._used, self.place):
            yield self.place

    def cut(self, name: str) -> Path:
        """Return a copy of the disk as it would be if its power were cut now.

        The file system may write on its own while the copy is made, which would then be of no
        one moment. So it counts only where the disk is the same afterwards. Raise
        MissingCapability where it never is.
        """
        image = self._folder / f"cut {name}"
        for _ in range(_TRIES):
            _copy(self._used, image)
            if _are_same(self._used, image):
                return image
        raise MissingCapability(CAPABILITY, "the disk is written to without a pause", tool=True)

    def write_journal(self) -> None:
        """Have the file system write its journal, as a sync of anybody's file makes it."""
        _write(self.place / "file of somebody else", sync=True)

    def write_all(self) -> None:
        """Have the file system write all that it holds."""
        _run(["sync", "--file-system", str(self.place)])

    @contextmanager
    def powered_again(self, image: Path) -> Iterator[Path]:
        """Mount what `cut` returned, once; its file is gone afterwards."""
        try:
            with self._kind.mounted(image, self.place):
                yield self.place
        finally:
            image.unlink()


@functools.cache
def why_not(kind: FileSystem) -> str:
    """Return why no power cut can be seen here, in one sentence; nothing where it can.

    It is tried: a file that was synced must be there after a cut, one that was not must have
    lost its content.
    """
    with scratch() as folder:
        image, copy, place = folder / "image", folder / "copy", folder / "place"
        place.mkdir()
        try:
            kind.make(image)
            with kind.mounted(image, place):
                _write(place / "synced", sync=True)
                _write(place / "not synced", sync=False)
                _copy(image, copy)
            with kind.mounted(copy, place):
                lost = _content(place / "not synced") != _CONTENT
                kept = _content(place / "synced") == _CONTENT
        except MissingCapability as missing:
            return missing.sentence
    if not kept:
        return f"a loop device loses what was synced to {kind} here"
    return "" if lost else f"a loop device writes {kind} through at once here"


_CONTENT = b"what was written\n" * 1000


def _write(path: Path, *, sync: bool) -> None:
    with path.open("wb") as file:
        file.write(_CONTENT)
        file.flush()
        if sync:
            os.fsync(file.fileno())


def _content(path: Path) -> bytes:
    with suppress(OSError):
        return path.read_bytes()
    return b""


def _copy(source: Path, target: Path) -> None:
    """Copy what of a sparse file is allocated, which is little of a new file system."""
    with source.open("rb", 0) as original, target.open("wb", 0) as copy:
        copy.truncate(os.fstat(original.fileno()).st_size)
        for start, content in _blocks(original.fileno()):
            os.pwrite(copy.fileno(), content, start)


def _are_same(one: Path, other: Path) -> bool:
    """Return whether two files of one size are the same, by what is allocated in either."""
    with one.open("rb", 0) as first, other.open("rb", 0) as second:
        pair = (first.fileno(), second.fileno())
        return all(
            os.pread(beside, len(content), start) == content
            for file, beside in (pair, pair[::-1])
            for start, content in _blocks(file)
        )


def _blocks(file: int) -> Iterator[tuple[int, bytes]]:
    """Yield what is allocated, part by part, each with its place."""
    for start, end in extents(file, os.fstat(file).st_size):
        for at in range(start, end, _BLOCK):
            yield at, os.pread(file, min(_BLOCK, end - at), at)


def _run(command: list[str]) -> None:
    program = shutil.which(command[0], path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if program is None:
        raise MissingCapability(CAPABILITY, f"{command[0]} is not installed", tool=True)
    ended = run_uninterrupted([program, *command[1:]])
    if ended.returncode:
        complaint = " ".join(ended.stderr.split()) or f"exit status {ended.returncode}"
        raise MissingCapability(CAPABILITY, f"{command[0]} fails here: {complaint}", tool=True)
