"""Mutants in numbers: targets and times that their type cannot hold, or that mean another thing."""

from __future__ import annotations

import ctypes
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Archive, ReedError

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
        archive = super().parse(path)
        return archive if archive and archive.timestamp else None
