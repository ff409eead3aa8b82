"""Runs of the suite that record and replay, and recordings that are changed in between."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from recording.fixture_types import EditIndex, Ended, Index, OutcomesOf, RunPytest

from pytest_reedbackup.reports import json_report

PROJECT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def run_pytest(tmp_path_factory: pytest.TempPathFactory, build_once: str) -> RunPytest:
    """Runs pytest with the plugin, from a folder of its own."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {n: value for n, value in os.environ.items() if not n.startswith("PYTEST_")}
        return subprocess.run(
            [sys.executable, "-m", "pytest", "--tb=short", build_once, *arguments],
            cwd=tmp_path_factory.mktemp("recording"),
            env=environment | {"PYTHONPATH": str(PROJECT), "COLUMNS": "200"},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def outcomes_of(run_pytest: RunPytest, tmp_path_factory: pytest.TempPathFactory) -> OutcomesOf:
    """As `run_pytest`, and the outcomes in the run's report."""

    def run(*arguments: str) -> Ended:
        path = tmp_path_factory.mktemp("report") / "report.json"
        ended = run_pytest(*arguments, f"--reedbackup-report={path}")
        assert path.exists(), ended.stdout + ended.stderr
        return ended, json_report.read(path).cases

    return run


@pytest.fixture
def edited(tmp_path: Path) -> EditIndex:
    """A copy of a recording whose index was changed by hand."""

    def edit(recording: Path, change: Callable[[Index], None]) -> Path:
        copy = tmp_path / "edited.recording"
        with zipfile.ZipFile(recording) as old, zipfile.ZipFile(copy, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name == "recording.json":
                    index = msgspec.json.decode(content)
                    change(index)
                    content = msgspec.json.encode(index)
                new.writestr(name, content)
        return copy

    return edit
