"""Mutants in retention: too many, too few, the wrong ones, and other people's files."""

from __future__ import annotations

import shutil
from pathlib import Path

from mutants.conforming import KEEP, Conforming
from mutants.model import SUFFIX, Archive


class _Keeping(Conforming):
    """Deletes what `surplus` says."""

    breaks = "create/retention"

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        """Which readable archives go; they come newest first."""
        raise NotImplementedError

    def prune(self, base: Path, made: Archive) -> None:
        for archive in self.surplus([a for a in self.archives(base) if self.info_of(a)], made):
            if archive != made:
                archive.path.unlink()


class KeepsAll(_Keeping):
    """Nothing is ever pruned (D5)."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        return []


class Keeps31(_Keeping):
    """31 remain."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        return archives[KEEP - 1 :]


class Keeps33(_Keeping):
    """33 remain."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        return archives[KEEP + 1 :]


class KeepsTheOldest(_Keeping):
    """The oldest 31 and the new one remain."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        return archives[: len(archives) - KEEP + 1] if len(archives) > KEEP else []


class PrunesInBatches(_Keeping):
    """Pruning waits until there are 36."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        return archives[KEEP:] if len(archives) >= KEEP + 4 else []


class PrunesAsText(_Keeping):
    """The order of names decides, in which 999999999 is newer than 1000000000."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        return sorted(archives, key=lambda archive: archive.id, reverse=True)[KEEP:]


class PrunesByFileTime(_Keeping):
    """The archives' mtimes decide."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        return sorted(archives, key=lambda a: a.path.stat().st_mtime_ns, reverse=True)[KEEP:]


class OneASecond(_Keeping):
    """Only seconds are counted, however many backups each has."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        seconds = sorted({archive.timestamp for archive in archives}, reverse=True)[KEEP:]
        return [archive for archive in archives if archive.timestamp in seconds]


class TiesGoAtRandom(_Keeping):
    """Of one second, the order of names decides, in which -10 is older than -2."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        return sorted(archives, key=lambda a: (a.timestamp, a.id), reverse=True)[KEEP:]


class ByAge(_Keeping):
    """Backups of more than 32 seconds before the newest go."""

    def surplus(self, archives: list[Archive], made: Archive) -> list[Archive]:
        return [a for a in archives if a.timestamp <= archives[0].timestamp - KEEP]


class ReusesNumbers(Conforming):
    """A second's lowest free number is taken, so that the newest gets an old name."""

    breaks = "create/retention"

    def free_name(self, base: Path, seconds: int) -> Path:
        numbers = {a.sequence for a in self.archives(base) if a.timestamp == seconds}
        number = next(n for n in range(1, 100) if n not in numbers)
        return base / "backups" / f"{seconds}-{number}{SUFFIX}"


class CountsEveryFile(Conforming):
    """Whatever is in backups/ counts as one of the 32."""

    breaks = "create/retention-foreign"

    def prune(self, base: Path, made: Archive) -> None:
        others = [a for a in self.archives(base) if a != made and self.info_of(a)]
        surplus = len(list((base / "backups").iterdir())) - KEEP
        for archive in others[::-1][: max(surplus, 0)]:
            archive.path.unlink()


class CountsUnreadable(Conforming):
    """Unreadable files under an archive's name count, and go when they are old."""

    breaks = "create/retention-foreign"

    def prune(self, base: Path, made: Archive) -> None:
        for archive in [a for a in self.archives(base) if a != made][KEEP - 1 :]:
            archive.path.unlink()


class DeletesUnreadable(Conforming):
    """Unreadable files under an archive's name are deleted."""

    breaks = "create/retention-foreign"

    def prune(self, base: Path, made: Archive) -> None:
        super().prune(base, made)
        for archive in self.archives(base):
            if self.info_of(archive) is None:
                archive.path.unlink()


class DeletesStrangers(Conforming):
    """Files in backups/ that are no archives are deleted."""

    breaks = "create/retention-foreign"

    def prune(self, base: Path, made: Archive) -> None:
        super().prune(base, made)
        for path in (base / "backups").iterdir():
            if path.is_file() and self.parse(path) is None:
                path.unlink()


class DeletesOldTarGz(Conforming):
    """Of all files that end in .tar.gz, the 32 latest by mtime remain."""

    breaks = "create/retention-foreign"

    def prune(self, base: Path, made: Archive) -> None:
        strangers = [p for p in (base / "backups").glob("*.tar.gz") if not self.parse(p)]
        super().prune(base, made)
        if len(self.archives(base)) == KEEP:
            for path in strangers:
                path.unlink()


class DeletesFolders(Conforming):
    """A folder under an archive's name is deleted with all that is in it."""

    breaks = "create/retention-foreign"

    def prune(self, base: Path, made: Archive) -> None:
        super().prune(base, made)
        for path in (base / "backups").glob("*.tar.gz"):
            if path.is_dir():
                shutil.rmtree(path)


class DeletesLinks(Conforming):
    """A symlink under an archive's name is deleted."""

    breaks = "create/retention-foreign"

    def prune(self, base: Path, made: Archive) -> None:
        super().prune(base, made)
        for path in (base / "backups").glob("*.tar.gz"):
            if path.is_symlink():
                path.unlink()
