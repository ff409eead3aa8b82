"""The whole suite against the Rust crate of contract `ticket`, behind its generated adapter."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.reports.json_report import Report

pytestmark = pytest.mark.slow


def test_the_ticket_crate_passes_the_whole_suite(
    ticket_adapter: Path,
    run_suite: Callable[..., tuple[subprocess.CompletedProcess[str], Report]],
) -> None:
    ended, report = run_suite(str(ticket_adapter))
    (crate,) = report.implementations
    assert crate.verdict == "conforms", ended.stdout
    assert (crate.language, ended.returncode) == ("Rust", 0)
