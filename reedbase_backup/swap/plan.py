"""The steps from the live trees to the staged ones: what is moved, and what must stay in place."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from reedbase_backup.archive.admission import ROOTS
from reedbase_backup.disk.folders import Attributes, is_folder, open_up, opened, status
from reedbase_backup.errors import IoError
from reedbase_backup.swap.journal import Exchange, Journal, Removal, Step
from reedbase_backup.swap.working_folders import WorkingFolder, staging_name

_OBSTACLE = "probe"
"""A folder that is not empty, which no rename can replace."""

# What such a rename says of what can be moved, perhaps once it is opened up.
_COULD_MOVE = (errno.ENOTEMPTY, errno.EEXIST, errno.EISDIR, errno.EACCES, errno.EPERM)


class Layout:
    """Where each place of the new trees is staged: below the new/ of its own file system."""

    def __init__(self, unmovable: frozenset[str]) -> None:
        self.places = ["", *sorted(unmovable)]
        """The folders that have a working folder each; the base first."""
        above = (p.split("/")[:n] for p in unmovable for n in range(1, p.count("/") + 2))
        self.kept = frozenset("/".join(parts) for parts in above)
        """What has to stay where it is: the unmovable, and all above them."""

    def locate(self, place: str) -> tuple[int, str]:
        """Return which of `places`, by number, stages `place`, and the name below its new/."""
        for number in range(len(self.places) - 1, 0, -1):
            if place.startswith(self.places[number] + "/"):
                return number, place[len(self.places[number]) + 1 :]
        return 0, place


class Planner:
    """Compares the live trees with the staged ones."""

    def __init__(
        self,
        base: int,
        layout: Layout,
        folders: list[WorkingFolder],
        token: str,
        original: dict[str, Attributes],
    ) -> None:
        self._base = base
        self._original = original
        """Live folders as they were before anything was staged in them."""
        self._layout = layout
        self._folders = folders
        self._own_name = staging_name(token)
        self._steps: list[Step] = []
        self._attributes: dict[str, tuple[Attributes | None, Attributes | None]] = {}
        self._retired = 0

    def journal(self) -> Journal:
        """Return the journal of all steps. Raise IoError where none would do, or OSError."""
        for root in ROOTS:
            self._plan(root, probing=False)
        return Journal(True, self._layout.places, self._steps, self._attributes)

    def keep_file(self, place: str, live: Attributes, wanted: Attributes) -> None:
        """Return the file at `place` stays the same one, and gets the attributes `wanted`."""
        self._attributes[place] = (live, wanted)

    def _plan(self, place: str, *, probing: bool) -> None:
        live, staged = status(self._base, place), self._staged(place)
        if live is None and staged is None:
            return
        if place in self._layout.kept or (probing and not self._can_move(place)):
            self._keep(place, live, staged)
        else:
            self._exchange(place, live, staged)

    def _exchange(
        self, place: str, live: os.stat_result | None, staged: os.stat_result | None
    ) -> None:
        number, name = self._layout.locate(place)
        old = new = None
        # A new parent changes the folder's own `..`, which takes the right to write.
        if live is not None and is_folder(live) and ~live.st_mode & stat.S_IWUSR:
            old = Attributes.of(live)
        if staged is not None and is_folder(staged) and ~staged.st_mode & stat.S_IWUSR:
            new = Attributes.of(staged)
            open_up(self._folders[number].new, name)
        if old or new:
            self._attributes[place] = (old, new)
        retired = None
        if live is not None:
            retired, self._retired = str(self._retired), self._retired + 1
        self._steps.append(Exchange(place, number, None if staged is None else name, retired))

    def _keep(self, place: str, live: os.stat_result | None, staged: os.stat_result | None) -> None:
        if live is None or not is_folder(live):
            raise IoError("restore", f"{place} is mounted there and cannot be replaced; unmount it")
        stays = staged is not None and is_folder(staged)
        if not stays and place in self._layout.kept:
            raise IoError(
                "restore",
                f"{place} is a mount point, or holds one, and is no folder in the backup;"
                " unmount it first",
            )
        wanted = None
        if staged is not None and stays:
            wanted = Attributes.of(staged)
            number, name = self._layout.locate(place)
            open_up(self._folders[number].new, name)
        was = self._original.get(place, Attributes.of(live))
        self._attributes[place] = (was, wanted)
        for name in sorted({*self._live_names(place), *(self._staged_names(place, stays))}):
            self._plan(f"{place}/{name}", probing=True)
        if not stays:
            self._steps.append(Removal(place))
            if staged is not None:
                self._exchange(place, None, staged)
                # Of the folder: the file that comes in its place is staged as it will be.
                self._attributes[place] = (was, None)

    def _staged(self, place: str) -> os.stat_result | None:
        number, name = self._layout.locate(place)
        return status(self._folders[number].new, name)

    def _live_names(self, place: str) -> Iterator[str]:
        with opened(self._base, place) as folder:
            return iter([name for name in os.listdir(folder) if name != self._own_name])

    def _staged_names(self, place: str, stays: bool) -> list[str]:
        if not stays:
            return []
        if place in self._layout.places:
            return os.listdir(self._folders[self._layout.places.index(place)].new)
        number, name = self._layout.locate(place)
        with opened(self._folders[number].new, name) as folder:
            return os.listdir(folder)

    def _can_move(self, place: str) -> bool:
        """Return whether a rename would move the live folder, by one that cannot succeed."""
        old = self._folders[self._layout.locate(place)[0]].old
        if status(old, _OBSTACLE) is None:
            os.mkdir(_OBSTACLE, 0o700, dir_fd=old)
            os.mkdir(f"{_OBSTACLE}/full", 0o700, dir_fd=old)
        above, _, name = place.rpartition("/")
        with opened(self._base, above) as folder:
            try:
                os.rename(name, _OBSTACLE, src_dir_fd=folder, dst_dir_fd=old)
            except OSError as error:
                if error.errno in (errno.EXDEV, errno.EBUSY):
                    return False
                if error.errno in (*_COULD_MOVE, errno.ENOENT):
                    return True
                raise
            # No file system does that; but what it moved is live.
            os.rename(_OBSTACLE, name, src_dir_fd=old, dst_dir_fd=folder)
        return True
