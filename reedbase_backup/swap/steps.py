"""Doing or undoing a journal's steps, from wherever a kill or an error has left them.

Each step looks at the disk for what is still to do, so that it may be taken any
number of times, in either direction.
"""

from __future__ import annotations

import errno
import os
from contextlib import suppress
from itertools import count

from reedbase_backup.disk.durable import sync_folder
from reedbase_backup.disk.folders import Attributes, is_folder, open_up, opened, parent, status
from reedbase_backup.swap.journal import Exchange, Journal, Removal
from reedbase_backup.swap.working_folders import WorkingFolder, give_back


class Unmovable(OSError):
    """The folder or file at `filename`, a place, cannot be moved by a rename."""


def execute(base: int, folders: list[WorkingFolder], journal: Journal) -> None:
    """Do all the steps that are not done yet, durably. Raise OSError, or Unmovable."""
    # From the top: what is inside a closed folder cannot be reached.
    for place in sorted(journal.attributes):
        # What was in a folder that has been removed is made again, and open, if at all.
        with suppress(FileNotFoundError):
            open_up(base, place)
    for step in journal.steps if journal.forward else reversed(journal.steps):
        if isinstance(step, Removal):
            _remove_or_make_again(base, step.place, journal.forward)
        elif journal.forward:
            _install(base, folders[step.folder], step)
        else:
            _put_back(base, folders[step.folder], step)
    for place in sorted(journal.attributes, reverse=True):
        wanted = journal.attributes[place][journal.forward]
        if wanted is not None:
            _settle(base, place, wanted)
    for folder in folders:
        sync_folder(folder.new, "new")
        sync_folder(folder.old, "old")
    sync_folder(base, "the base")


def is_begun(folders: list[WorkingFolder], journal: Journal) -> bool:
    """Return whether anything has been moved by now. Raise OSError."""
    return any(
        (step.staged is not None and status(folders[step.folder].new, step.staged) is None)
        or (step.retired is not None and status(folders[step.folder].old, step.retired) is not None)
        for step in journal.steps
        if isinstance(step, Exchange)
    )


def _install(base: int, folder: WorkingFolder, step: Exchange) -> None:
    staged = step.staged
    if staged is not None and status(folder.new, staged) is None:
        return
    is_retired = step.retired is None or status(folder.old, step.retired) is not None
    if step.retired is not None and not is_retired and status(base, step.place) is not None:
        _move(base, step.place, folder.old, step.retired, step.place)
    if staged is not None:
        _set_aside(base, folder, step.place)
        _move(folder.new, staged, base, step.place, step.place)


def _put_back(base: int, folder: WorkingFolder, step: Exchange) -> None:
    is_installed = step.staged is not None and status(folder.new, step.staged) is None
    if step.staged is not None and is_installed and status(base, step.place) is not None:
        _move(base, step.place, folder.new, step.staged, step.place)
    if step.retired is not None and status(folder.old, step.retired) is not None:
        _make_folders_above(base, step.place)
        _set_aside(base, folder, step.place)
        _move(folder.old, step.retired, base, step.place, step.place)


def _make_folders_above(base: int, place: str) -> None:
    """Make again what somebody has removed or renamed since a kill: what comes back needs it."""
    parts = place.split("/")
    for above in ("/".join(parts[:n]) for n in range(1, len(parts))):
        if status(base, above) is None:
            with parent(base, above) as (folder, name):
                os.mkdir(name, 0o700, dir_fd=folder)


def _set_aside(base: int, folder: WorkingFolder, place: str) -> None:
    """Take away what somebody has put in a place since it was emptied, never over anything."""
    if status(base, place) is not None:
        names = os.listdir(folder.old)
        name = next(name for n in count() if (name := f"found-{n}") not in names)
        _move(base, place, folder.old, name, place)


def _move(source: int, name: str, target: int, new_name: str, place: str) -> None:
    try:
        with parent(source, name) as (here, own), parent(target, new_name) as (there, new):
            os.rename(own, new, src_dir_fd=here, dst_dir_fd=there)
    except OSError as error:
        kind = Unmovable if error.errno in (errno.EXDEV, errno.EBUSY) else OSError
        raise kind(error.errno, error.strerror, place) from error


def _remove_or_make_again(base: int, place: str, forward: bool) -> None:
    is_there = status(base, place) is not None
    if not forward:
        _make_folders_above(base, place)
    with parent(base, place) as (above, name):
        if forward and is_there:
            os.rmdir(name, dir_fd=above)
        elif not forward and not is_there:
            os.mkdir(name, 0o700, dir_fd=above)


def _settle(base: int, place: str, wanted: Attributes) -> None:
    """Give attributes, durably, through a descriptor: the mode may let nobody in."""
    current = status(base, place)
    if not is_folder(current):
        if current is not None:
            give_back(base, place, wanted)
        return
    with opened(base, place) as folder:
        give_back(base, place, wanted)
        sync_folder(folder, place)
