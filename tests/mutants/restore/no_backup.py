"""Mutants in a restore's answer where there is no backup for the target."""

from __future__ import annotations

import shutil
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Archive, ReedError, RestoreReport

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
