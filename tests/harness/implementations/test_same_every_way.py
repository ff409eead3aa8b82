"""No rule is lost by the way of reaching an implementation."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from fixture_types import RunSuite
from harness.sources import MINE

from pytest_reedbackup.model.outcome import Outcome

pytestmark = pytest.mark.slow

SERVED = shlex.join([sys.executable, "-m", "reedbase_backup", "serve"])
HOARDS = """
import pathlib

class Hoards(Conforming):
    '''Prunes nothing: what create takes away is there again after it.'''
    def __init__(self):
        super().__init__()
        made = self.create_backup
        def create_backup(base_path, now_ns=None):
            archives = pathlib.Path(base_path).glob("backups/*.gz")
            before = {path: path.read_bytes() for path in archives}
            info = made(base_path, now_ns)
            for path, content in before.items():
                if not path.exists():
                    path.write_bytes(content)
            return info
        self.create_backup = create_backup

class ClocklessHoards(Hoards):
    capabilities = ()
"""
CASES = (
    "ticket/create/retention*",
    "ticket/create/clock-backwards*",
    "ticket/create/same-second",
    "ticket/list/order*",
    "ticket/restore/pick*",
)
OPTIONS = [
    *(f"--reedbackup-case={case}" for case in CASES),
    *("--reedbackup-examples=6", "--reedbackup-faults=off"),
]


@pytest.mark.parametrize(
    ("clocked", "clockless", "broken"),
    [
        ("Conforming", "Clockless", set()),
        ("Hoards", "ClocklessHoards", {"create/retention"}),
    ],
    ids=["good", "retention-wrong"],
)
def test_every_case_runs_and_ends_alike_in_process_served_and_without_a_clock(
    run_suite: RunSuite,
    tmp_path: Path,
    clocked: str,
    clockless: str,
    broken: set[str],
    library: Path,
) -> None:
    (tmp_path / "mine.py").write_text(MINE + HOARDS)
    ways = [
        f"mine:{clocked}",
        f"mine:{clockless}",
        f"{SERVED} mine:{clocked}",
        f"{SERVED} mine:{clockless}",
    ]
    _, report = run_suite(*ways, options=OPTIONS)
    assert [one.clock for one in report.implementations] == [
        "the adapter's capability `clock`",
        "time-machine",
        "the adapter's capability `clock`",
        "libfaketime",
    ]
    outcomes = {
        way: {case.case_id: case.outcome for case in report.cases if case.implementation == way}
        for way in ways
    }
    first, *others = outcomes.values()
    assert len(first) >= 20
    assert others == [first] * 3
    assert set(first.values()) <= {Outcome.PASS, Outcome.FAIL}
    failed = {case.rule for case in report.cases if case.outcome is Outcome.FAIL}
    assert failed == broken if not broken else failed >= broken
