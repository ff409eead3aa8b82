"""The whole suite against the Rust crate of contract `ticket`, behind its generated adapter."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from documents.results import check_published

from pytest_reedbackup.reports.json_report import Report

pytestmark = pytest.mark.slow


# test_ticket_crate.py has it killed and its calls fail in every run.
@pytest.mark.parametrize(
    ("faults", "verdict"),
    [
        ("off", "conforms as far as it was tried"),
        pytest.param("quick", "conforms", marks=pytest.mark.campaign),
    ],
)
def test_the_ticket_crate_passes_the_whole_suite(
    ticket_adapter: Path,
    run_suite: Callable[..., tuple[subprocess.CompletedProcess[str], Report]],
    faults: str,
    verdict: str,
) -> None:
    ended, report = run_suite(str(ticket_adapter), options=[f"--reedbackup-faults={faults}"])
    (crate,) = report.implementations
    assert crate.verdict == verdict, ended.stdout
    assert (crate.language, ended.returncode) == ("Rust", 0)
    if faults == "off":
        check_published(report)
