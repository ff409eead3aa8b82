"""Two real runs beside each other: one case mended, one broken, one slower."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from pytest_reedbackup.model.timing import Pairs
from pytest_reedbackup.reports import json_report
from reedbase_backup.cli.commands import main

pytestmark = pytest.mark.slow

PORT = """
import reedbase_backup as reference


class Port:
    contracts = ("ticket",)
    create_backup = staticmethod(reference.create_backup)
    list_backups = staticmethod(reference.list_backups)
    restore_point_in_time = staticmethod(reference.restore_point_in_time)


class Old(Port):
    @staticmethod
    def list_backups(base_path):
        return reference.list_backups(base_path)[::-1]


class New(Port):
    @staticmethod
    def restore_point_in_time(base_path, target_timestamp):
        oldest = min(info.timestamp for info in reference.list_backups(base_path))
        return reference.restore_point_in_time(base_path, max(target_timestamp, oldest))


old, new = Old(), New()
"""
CASES = ("list/order", "list/empty", "restore/none", "bounds/ratio/create-bulk")


def slowed_down(path: Path) -> None:
    """Have a report's creates take a thousand times as long: whatever the machine, no noise."""
    report = json_report.read(path)
    cases = []
    for case in report.cases:
        if isinstance(case.timing, Pairs):
            pairs = [(own * 1_000, other) for own, other in case.timing.pairs]
            timing = msgspec.structs.replace(case.timing, pairs=pairs)
            case = msgspec.structs.replace(case, timing=timing)
        cases.append(case)
    json_report.write(path, msgspec.structs.replace(report, cases=cases))


def test_what_is_mended_broken_and_slower_is_told_in_80_columns(
    tmp_path: Path,
    run_pytest: Callable[..., subprocess.CompletedProcess[str]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "port.py").write_text(PORT)
    for name in ("old", "new"):
        run_pytest(
            tmp_path,
            *(f"--reedbackup-impl=port:{name}", "--reedbackup-baseline=python"),
            *(f"--reedbackup-case=ticket/{case}" for case in CASES),
            f"--reedbackup-report={name}.json",
            PYTHONPATH=str(tmp_path),
        )
    slowed_down(tmp_path / "new.json")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    assert main(["report", "diff", "old.json", "new.json"]) == 1
    told = capsys.readouterr().out.splitlines()
    assert max(map(len, told)) <= 80
    parts = [line for line in told if not line.startswith("   ")]
    # What the bound itself came to is the machine's doing.
    assert {
        "  ticket/restore/none (port:new): pass -> fail",
        "slower by more than the noise: 1",
        "mended: 1",
        "  ticket/list/order (port:new): fail -> pass",
    } <= set(parts)
    assert any(line.startswith("  ticket/bounds/ratio/create-bulk (port:new): ") for line in parts)
    assert "    repeat: pytest --reedbackup-impl=port:new \\" in told
    assert main(["report", "diff", "new.json", "new.json"]) == 0
