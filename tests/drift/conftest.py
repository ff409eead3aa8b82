"""Whole runs of pytest with the plugin, and what they report of the drift."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest

from pytest_reedbackup.reports import json_report
from pytest_reedbackup.reports.json_report import Report


@pytest.fixture(scope="session")
def run_pytest(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs pytest with the plugin, from a folder of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--tb=no", "-p", "no:cacheprovider", *arguments],
            cwd=tmp_path_factory.mktemp("drift"),
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def reported(
    run_pytest: Callable[..., subprocess.CompletedProcess[str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., Report]:
    """As `run_pytest`, and gives the run's JSON report."""

    def run(*arguments: str) -> Report:
        path = tmp_path_factory.mktemp("report") / "report.json"
        ended = run_pytest(*arguments, f"--reedbackup-report={path}")
        assert path.exists(), ended.stdout + ended.stderr
        return json_report.read(path)

    return run
