"""Mutants in where a restore can work: not on mount points, layers, or in read-only folders."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Entry


class OnlyRenames(Conforming):
    """What cannot be renamed cannot be restored."""

    breaks = "restore/placement"

    def overwrite(self, live: Path, new: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV), str(live))


class _NotFor(Conforming):
    """Writes trees anew where they are, but not after an error `errno`."""

    breaks = "restore/placement"
    errno: int

    def retire(self, live: Path, old: Path) -> None:
        try:
            super().retire(live, old)
        except OSError as error:
            if error.errno == self.errno:
                error.errno = errno.EIO
            raise


class NotOnMountPoints(_NotFor):
    """tables/ as a mount point cannot be restored."""

    errno = errno.EBUSY


class NotOnLowerLayers(_NotFor):
    """A tree in an overlay's lower layer cannot be restored."""

    errno = errno.EXDEV


class NotInReadOnlyFolders(_NotFor):
    """Trees whose roots are read-only can be restored by root alone."""

    errno = errno.EACCES


class TakesMountsAway(Conforming):
    """A table that is a mount point is moved away, and its content put beside the mount."""

    breaks = "restore/placement"

    def has_mounts_below(self, live: Path) -> bool:
        return False


class KnowsDevicesOnly(Conforming):
    """A mount point is known by its device, which a bind mount shares with its parent."""

    breaks = "restore/placement"

    def has_mounts_below(self, live: Path) -> bool:
        device = live.parent.stat().st_dev
        return any(path.is_dir() and path.stat().st_dev != device for path in live.rglob("*"))


class OneDescriptorATable(Conforming):
    """A restore keeps every table's folder open."""

    breaks = "restore/placement"

    def install(self, base: Path, entries: list[Entry]) -> None:
        with ExitStack() as descriptors:
            for table in self._folders(base / "tables"):
                descriptors.callback(os.close, os.open(table, os.O_RDONLY))
            super().install(base, entries)

    def _folders(self, tables: Path) -> Iterator[Path]:
        return (path for path in tables.iterdir() if path.is_dir() and not path.is_symlink())
