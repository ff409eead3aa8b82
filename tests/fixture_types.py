"""Types of the fixtures that all tests share: what a test calls to get something made."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from pytest_reedbackup.reports.json_report import Report
from reedbase_backup.types import BackupInfo

Tree = dict[str, tuple[Any, ...]]
"""Paths of a tree, each with its kind, its mode and what else its kind has."""

ReadDatabase = Callable[[Path], Tree]
BackupAt = Callable[[Path, int], BackupInfo]
CopyBase = Callable[[Path, object], Path]
FindTool = Callable[[str], str]
Once = Callable[[str, Callable[[Path], object]], Path]


class MakeBase(Protocol):
    def __call__(self, *tables: str, rows: int = 3, name: str = ".reed") -> Path: ...


class TakeSnapshot(Protocol):
    def __call__(self, root: Path, *parts: str) -> Tree: ...


class RunAsNobody(Protocol):
    def __call__(self, code: str, *paths: Path) -> subprocess.CompletedProcess[str]: ...


class RunSuite(Protocol):
    def __call__(
        self, *implementations: str, options: Sequence[str] = ()
    ) -> tuple[subprocess.CompletedProcess[str], Report]: ...
