"""Whole runs of pytest with the plugin, and what they report of the drift."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import Once

from pytest_reedbackup.reports import json_report
from pytest_reedbackup.reports.json_report import Report


@pytest.fixture(scope="session")
def run_pytest(
    tmp_path_factory: pytest.TempPathFactory, build_once: str
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs pytest with the plugin, from a folder of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--tb=no", build_once, *arguments],
            cwd=tmp_path_factory.mktemp("drift"),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def reported(
    run_pytest: Callable[..., subprocess.CompletedProcess[str]], once: Once
) -> Callable[..., Report]:
    """As `run_pytest`, and gives the JSON report of a run with these arguments, made once."""

    def run(*arguments: str) -> Report:
        def write(folder: Path) -> None:
            path = folder / "report.json"
            ended = run_pytest(*arguments, f"--reedbackup-report={path}")
            assert path.exists(), ended.stdout + ended.stderr

        name = hashlib.sha256("\n".join(arguments).encode()).hexdigest()
        return json_report.read(once(f"drift-{name}", write) / "report.json")

    return run
