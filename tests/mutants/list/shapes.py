"""Mutants in the shape of things: signatures, fields, and the time that calls take."""

from __future__ import annotations

import time
from typing import Any

from mutants.conforming import Conforming
from mutants.model import BackupInfo, RestoreReport


class _Shaping(Conforming):
    """Returns something that is no BackupInfo or no RestoreReport."""

    breaks = "surface/types"

    def shape(self, value: BackupInfo) -> Any:
        return value

    def create_backup(self, base_path: str, now_ns: int | None = None) -> Any:
        made = super().create_backup(base_path, now_ns)
        assert made is not None
        return self.shape(made)

    def list_backups(self, base_path: str) -> Any:
        return [self.shape(info) for info in super().list_backups(base_path)]


class OneFieldMore(_Shaping):
    """BackupInfo has a path too."""

    def shape(self, value: BackupInfo) -> Any:
        return {**value._asdict(), "path": f"{value.id}.tar.gz"}


class OneFieldLess(_Shaping):
    """BackupInfo has no compression."""

    def shape(self, value: BackupInfo) -> Any:
        return {name: item for name, item in value._asdict().items() if name != "compression"}


class FloatTimes(_Shaping):
    """timestamp is a float."""

    def shape(self, value: BackupInfo) -> Any:
        return {**value._asdict(), "timestamp": float(value.timestamp)}


class TextSizes(_Shaping):
    """size_bytes is text for people."""

    def shape(self, value: BackupInfo) -> Any:
        return {**value._asdict(), "size_bytes": f"{value.size_bytes} B"}


class ReportOfLast(Conforming):
    """The report lists the tables by name, as that of `last` does."""

    breaks = "surface/types"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> Any:
        report = super().restore_point_in_time(base_path, target_timestamp)
        return {**report._asdict(), "tables_restored": ["text", "routes", "content"]}


class OneParameterMore(Conforming):
    """create_backup cannot be called without a compression level."""

    breaks = "surface/functions"

    def create_backup(  # type: ignore[override]
        self, base_path: str, level: int, now_ns: int | None = None
    ) -> BackupInfo | None:
        return super().create_backup(base_path, now_ns)


class AnotherName(Conforming):
    """restore_point_in_time calls its target `timestamp`."""

    breaks = "surface/functions"

    def restore_point_in_time(self, base_path: str, timestamp: int) -> RestoreReport:
        return super().restore_point_in_time(base_path, timestamp)


class SlowBackup(Conforming):
    """Create takes twice what it may, besides what it needs: so much is seen on any machine."""

    breaks = "bounds/create-10k"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        time.sleep(0.2)
        return super().create_backup(base_path, now_ns)


class SlowRestore(Conforming):
    """A restore takes twice what it may, besides what it needs."""

    breaks = "bounds/restore-10k"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        time.sleep(0.4)
        return super().restore_point_in_time(base_path, target_timestamp)
