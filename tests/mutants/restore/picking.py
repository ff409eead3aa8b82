"""Mutants in which backup a restore takes, and in the answer where there is none."""

from __future__ import annotations

import ctypes
import shutil
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Archive, ReedError, RestoreReport


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


# No backup at or before the target ------------------------------------------


class NoneIsTheOldest(Conforming):
    """Where every backup is later, the oldest is restored."""

    breaks = "restore/none"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        try:
            return super().pick(archives, target)
        except ReedError:
            if not archives:
                raise
            return archives[-1]


class NoneIsSuccess(Conforming):
    """Where every backup is later, nothing is done, and that is a success."""

    breaks = "restore/none"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        try:
            return super().restore_point_in_time(base_path, target_timestamp)
        except ReedError as error:
            if error.kind != "BackupNotFound":
                raise
            return RestoreReport(0, 0, 0)


class NoneIsIoError(Conforming):
    """BackupNotFound is an IoError."""

    breaks = "restore/none"

    def not_found(self, archives: list[Archive], target: int) -> ReedError:
        oldest = archives[-1].timestamp if archives else None
        return ReedError("IoError", "no backup", target=target, oldest=oldest)


class NoneHasNoFields(Conforming):
    """BackupNotFound says nothing more."""

    breaks = "restore/none"

    def not_found(self, archives: list[Archive], target: int) -> ReedError:
        return ReedError("BackupNotFound", "no backup that old")


class NoneHasNoOldest(Conforming):
    """BackupNotFound does not say which is the oldest."""

    breaks = "restore/none"

    def not_found(self, archives: list[Archive], target: int) -> ReedError:
        return ReedError("BackupNotFound", "no backup that old", target=target)


class NoneTellsTheNewest(Conforming):
    """What BackupNotFound calls the oldest is the newest."""

    breaks = "restore/none"

    def not_found(self, archives: list[Archive], target: int) -> ReedError:
        newest = archives[0].timestamp if archives else None
        return ReedError("BackupNotFound", "no backup", target=target, oldest=newest)


class ClearsBeforeItLooks(Conforming):
    """The live trees are removed before it is known what is to replace them."""

    breaks = "restore/none"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        try:
            return super().restore_point_in_time(base_path, target_timestamp)
        except ReedError as error:
            if error.kind == "BackupNotFound":
                shutil.rmtree(Path(base_path) / "tables", ignore_errors=True)
            raise


class MakesBackups(Conforming):
    """A restore makes backups/ where it is missing."""

    breaks = "restore/none"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        if Path(base_path).is_dir():
            (Path(base_path) / "backups").mkdir(exist_ok=True)
        return super().restore_point_in_time(base_path, target_timestamp)


class MakesTheBase(Conforming):
    """A restore of a mistyped base makes it."""

    breaks = "restore/none"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        Path(base_path).mkdir(parents=True, exist_ok=True)
        return super().restore_point_in_time(base_path, target_timestamp)


# Targets at the ends of what a number can hold -------------------------------


class _Narrow(Conforming):
    """Holds targets and times in another type of number."""

    breaks = "restore/extremes"

    def narrowed(self, seconds: int) -> int:
        raise NotImplementedError

    def pick(self, archives: list[Archive], target: int) -> Archive:
        for archive in archives:
            if self.narrowed(archive.timestamp) <= self.narrowed(target):
                return archive
        raise self.not_found(archives, target)


class ThirtyTwoBits(_Narrow):
    """Times are u32."""

    def narrowed(self, seconds: int) -> int:
        return ctypes.c_uint32(seconds).value


class Signed32Bits(_Narrow):
    """Times are i32, as they were until 2038."""

    def narrowed(self, seconds: int) -> int:
        return ctypes.c_int32(seconds).value


class Signed64Bits(_Narrow):
    """Times are i64."""

    def narrowed(self, seconds: int) -> int:
        return ctypes.c_int64(seconds).value


class Doubles(_Narrow):
    """Times are f64, as every number of JavaScript is."""

    def narrowed(self, seconds: int) -> int:
        return int(float(seconds))


class Nanoseconds(_Narrow):
    """Times are nanoseconds in u64."""

    def narrowed(self, seconds: int) -> int:
        return ctypes.c_uint64(seconds * 10**9).value


class GuessesUnits(Conforming):
    """A large target is taken for milliseconds."""

    breaks = "restore/extremes"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        return super().pick(archives, target // 1000 if target > 10**11 else target)


class ZeroIsNow(Conforming):
    """Target 0 means the newest backup."""

    breaks = "restore/extremes"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        return super().pick(archives, target or 2**64)


class TheEndIsNever(Conforming):
    """2^64-1 is kept for "no target", and finds nothing."""

    breaks = "restore/extremes"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        return super().pick(archives, target if target < 2**64 - 1 else -1)


class NotBeyondNow(Conforming):
    """A target in the future is refused."""

    breaks = "restore/extremes"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        if target >= 2**32:
            raise ReedError("IoError", "the target is in the future", target=target)
        return super().pick(archives, target)


class NoBackupsOf1970(Conforming):
    """A backup of the second 0 is not seen."""

    breaks = "restore/extremes"

    def parse(self, path: Path) -> Archive | None:
        found = super().parse(path)
        return found if found and found.timestamp else None
