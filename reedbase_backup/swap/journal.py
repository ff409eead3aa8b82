"""The journal: what a restore is going to do to the live trees, so that any call can finish it.

The file is JSON, in one line, and its SHA-256 in a second one. A folder's journal
is believed only where both fit, and where every place in it is in tables/ or indices/.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from contextlib import suppress
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any

from reedbase_backup.archive.admission import ROOTS
from reedbase_backup.disk.durable import sync, sync_folder, write_all
from reedbase_backup.disk.folders import Attributes, close, status

_NAME = "journal"
_TURNED = "journal.undo"
"""The journal's name from when its steps are to be undone."""
_UNFINISHED = "journal.new"
"""The journal that is being written."""
_UNDO = "undo"
"""A folder whose being there says the same as `_TURNED`, where nothing can be renamed any more."""

_FORMAT = 1
# Of 100,000 folders that must each stay where they are.
_MAX_SIZE = 64 << 20
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Exchange:
    """One name in the live trees, and what takes its place.

    Done is what can be seen to be done: the new one is to be installed while it
    is staged, the old one to be put back while it is retired.
    """

    place: str
    folder: int
    """The number of the working folder, on this file system, that holds both."""
    staged: str | None
    """Where the new one waits, below that folder's new/; None where nothing is to be."""
    retired: str | None
    """The old one's name in that folder's old/; None where nothing was."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A folder that cannot be moved, and is removed once it is empty."""

    place: str


Step = Exchange | Removal


@dataclass(frozen=True, slots=True)
class Journal:
    """The steps from the old trees to the new ones, and whether to do or undo them."""

    forward: bool
    staging_places: list[str]
    """The places with a working folder each; the first is the base itself, ""."""
    steps: list[Step] = field(default_factory=list)
    attributes: dict[str, tuple[Attributes | None, Attributes | None]] = field(default_factory=dict)
    """Of folders and files that stay in place or must be opened up: the old ones, the new ones."""
    kept_at: int | None = None
    """Where what was replaced is kept once the steps are done (`undo`): when, in Unix seconds."""

    def backward(self) -> Journal:
        """Return the same steps, to be undone."""
        return replace(self, forward=False)


class NoJournal(Exception):
    """The file is none of ours."""


def write(folder: int, journal: Journal) -> None:
    """Put `journal` into the open working folder, durably and in one move. Raise OSError."""
    with suppress(FileNotFoundError):
        os.unlink(_UNFINISHED, dir_fd=folder)
    descriptor = os.open(_UNFINISHED, _NEW_FILE, 0o600, dir_fd=folder)
    try:
        write_all(descriptor, _encoded(journal))
        sync(descriptor)
    finally:
        os.close(descriptor)
    os.rename(_UNFINISHED, _NAME, src_dir_fd=folder, dst_dir_fd=folder)
    sync_folder(folder, _NAME)


def turn(folder: int) -> None:
    """Have the journal in the open working folder undone from now on. Raise OSError."""
    try:
        # Nothing is written, for which a full disk would have no room.
        os.rename(_NAME, _TURNED, src_dir_fd=folder, dst_dir_fd=folder)
    except FileNotFoundError:
        return
    except OSError:
        with suppress(FileExistsError):
            os.mkdir(_UNDO, 0o700, dir_fd=folder)
    # A power cut that undoes this leaves steps to do from wherever they were undone to.
    with suppress(OSError):
        sync_folder(folder, _TURNED)


def turn_back(folder: int) -> None:
    """Have the journal that was turned count forward again, durably. Raise OSError."""
    with suppress(FileNotFoundError):
        os.rmdir(_UNDO, dir_fd=folder)
    with suppress(FileNotFoundError):
        os.rename(_TURNED, _NAME, src_dir_fd=folder, dst_dir_fd=folder)
    sync_folder(folder, _NAME)


def read(folder: int) -> Journal:
    """Return the journal in the open working folder. Raise NoJournal, or OSError."""
    try:
        return _read(folder, _TURNED).backward()
    except FileNotFoundError:
        pass
    try:
        journal = _read(folder, _NAME)
    except FileNotFoundError as error:
        raise NoJournal from error
    return journal if status(folder, _UNDO) is None else journal.backward()


def _read(folder: int, name: str) -> Journal:
    try:
        descriptor = os.open(name, _READ, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise NoJournal from error
        raise
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode) or found.st_size > _MAX_SIZE:
            raise NoJournal
        if found.st_uid != os.fstat(folder).st_uid:
            raise NoJournal
        content = bytearray()
        while chunk := os.read(descriptor, 1 << 20):
            content += chunk
    finally:
        close(descriptor)
    return _decoded(bytes(content))


def _encoded(journal: Journal) -> bytes:
    attributes = {
        place: [None if one is None else _as_list(one) for one in both]
        for place, both in journal.attributes.items()
    }
    line = json.dumps(
        {
            "format": _FORMAT,
            "forward": journal.forward,
            "works": journal.staging_places,
            "steps": [
                [s.place] if isinstance(s, Removal) else [s.place, s.folder, s.staged, s.retired]
                for s in journal.steps
            ],
            "attributes": attributes,
            "kept_at": journal.kept_at,
        }
    ).encode()
    return line + b"\n" + sha256(line).hexdigest().encode() + b"\n"


def _as_list(one: Attributes) -> list[int]:
    return [one.mode, one.uid, one.gid, one.mtime_ns]


def _decoded(content: bytes) -> Journal:
    line, _, checksum = content.partition(b"\n")
    if checksum != sha256(line).hexdigest().encode() + b"\n":
        raise NoJournal
    try:
        fields: dict[str, Any] = json.loads(line)
        if fields["format"] != _FORMAT:
            raise NoJournal
        journal = Journal(
            forward=bool(fields["forward"]),
            staging_places=[str(place) for place in fields["works"]],
            steps=[Removal(*s) if len(s) == 1 else Exchange(*s) for s in fields["steps"]],
            attributes={
                place: (old and Attributes(*old), new and Attributes(*new))
                for place, (old, new) in fields["attributes"].items()
            },
            kept_at=None if (kept_at := fields.get("kept_at")) is None else int(kept_at),
        )
        _check(journal)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise NoJournal from error
    return journal


def _check(journal: Journal) -> None:
    """Raise NoJournal where a place leads out of the trees, or out of a working folder."""
    live = [
        *journal.staging_places[1:],
        *journal.attributes,
        *(step.place for step in journal.steps),
    ]
    inside = []
    for step in journal.steps:
        if isinstance(step, Exchange):
            inside += [name for name in (step.staged, step.retired) if name is not None]
            if step.folder not in range(len(journal.staging_places)):
                raise NoJournal
    outside = [place for place in live if place.partition("/")[0] not in ROOTS]
    odd = [p for p in [*live, *inside] if {"", ".", ".."} & set(p.split("/")) or "\0" in p]
    if journal.staging_places[0] != "" or outside or odd:
        raise NoJournal
