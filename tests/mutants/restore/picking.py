"""Mutants in which backup a restore takes."""

from __future__ import annotations

from mutants.conforming import Conforming
from mutants.model import Archive


class StrictlyBefore(Conforming):
    """A backup of just the target's second is too late."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        return super().pick(archives, target - 1)


class AtOrAfter(Conforming):
    """The oldest backup at or after the target is taken."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        later = [archive for archive in archives if archive.timestamp >= target]
        return later[-1] if later else super().pick(archives, target)


class Nearest(Conforming):
    """The backup nearest to the target is taken, be it later."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        super().pick(archives, target)
        return min(archives, key=lambda archive: abs(archive.timestamp - target))


class Oldest(Conforming):
    """Of the backups at or before the target, the oldest is taken."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        super().pick(archives, target)
        return archives[-1]


class Newest(Conforming):
    """The target is only looked at to say that there is no backup."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        super().pick(archives, target)
        return archives[0]


class NewestByFileTime(Conforming):
    """Of the backups at or before the target, that of the latest mtime is taken."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        super().pick(archives, target)
        early = [archive for archive in archives if archive.timestamp <= target]
        return max(early, key=lambda archive: archive.path.stat().st_mtime_ns)


class FileTimes(Conforming):
    """The archives' mtimes are their times."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        by_file_time = sorted(archives, key=lambda a: a.path.stat().st_mtime_ns, reverse=True)
        return super().pick(by_file_time, target)


class AsText(Conforming):
    """Times are compared as text."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        super().pick(archives, target)
        early = [a for a in archives if str(a.timestamp) <= str(target)]
        return max(early or archives, key=lambda archive: archive.id)


class InTheOrderOfNames(Conforming):
    """The first at or before the target is taken, in the order of names, from the end."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        by_name = sorted(archives, key=lambda archive: archive.path.name, reverse=True)
        return super().pick(by_name, target)


class OneTooFar(Conforming):
    """A backup of the second after the target will do."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        super().pick(archives, target)
        return super().pick(archives, target + 1)


class FirstOfTheSecond(Conforming):
    """Of two backups of one second, the one created first is taken."""

    breaks = "restore/pick"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        time = super().pick(archives, target).timestamp
        return [archive for archive in archives if archive.timestamp == time][-1]
