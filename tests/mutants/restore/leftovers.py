"""Mutants in what a restore leaves behind or lays hands on, where one seldom looks."""

from __future__ import annotations

import os
from pathlib import Path

from mutants.conforming import Conforming
from mutants.restore.surroundings import _Harming


class _Leaving(Conforming):
    """Leaves in tables/ and indices/ what `stays` since the backup."""

    breaks = "restore/exact-tree"

    def stays(self, path: Path) -> bool:
        raise NotImplementedError

    def retire(self, live: Path, old: Path) -> None:
        new = old.parents[1] / "new" / live.name
        if live.is_dir() and not live.is_symlink() and new.is_dir():
            for path in live.iterdir():
                if self.stays(path) and not os.path.lexists(new / path.name):
                    path.rename(new / path.name)
        super().retire(live, old)


class LeavesDotfiles(_Leaving):
    """What begins with a dot stays, as after `rm -rf tables/*`."""

    def stays(self, path: Path) -> bool:
        return path.name.startswith(".")


class LeavesLooseFiles(_Leaving):
    """Files made since beside the tables stay."""

    def stays(self, path: Path) -> bool:
        return path.parent.name == "tables" and path.is_file() and not path.is_symlink()


class LeavesDanglingLinks(_Leaving):
    """A symlink that leads nowhere stays, for it seems not to exist."""

    def stays(self, path: Path) -> bool:
        return path.is_symlink() and not path.exists()


class LeavesPipes(_Leaving):
    """FIFOs made since stay."""

    def stays(self, path: Path) -> bool:
        return path.is_fifo()


class TouchesTheArchives(_Harming):
    """The archives' mtimes are those of the restore."""

    def harm(self, base: Path) -> None:
        for archive in self.archives(base):
            os.utime(archive.path)


class RewritesTheRegistry(_Harming):
    """registry/ is written anew, with the content that it had."""

    def harm(self, base: Path) -> None:
        for path in (base / "registry").glob("*.dict"):
            path.write_bytes(path.read_bytes())


class MakesTheRegistry(_Harming):
    """An empty registry/ is made where there was none."""

    def harm(self, base: Path) -> None:
        (base / "registry").mkdir(exist_ok=True)


class ClosesTheBase(_Harming):
    """The base itself gets mode 0700."""

    def harm(self, base: Path) -> None:
        base.chmod(0o700)


class RemovesUnreadable(_Harming):
    """Unreadable files under archives' names are deleted."""

    def harm(self, base: Path) -> None:
        for archive in self.archives(base):
            if self.info_of(archive) is None:
                archive.path.unlink()


class PrunesToo(_Harming):
    """A restore deletes what is more than 32, as create does."""

    def harm(self, base: Path) -> None:
        for archive in self.archives(base)[32:]:
            archive.path.unlink()
