"""The ticket crate under sweeps: it loses nothing at any point, and one that syncs less is seen."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import FindTool
from rust.adapters import Build
from rust.conftest import EXAMPLES

from pytest_reedbackup.reports.json_report import Report

pytestmark = [pytest.mark.slow, pytest.mark.campaign]  # it takes minutes, of which one is building

RunSuite = Callable[..., tuple[subprocess.CompletedProcess[str], Report]]

WEAKNESSES = {
    "ARCHIVE": ("create.rs", 'file.sync_all().during("sync_archive", &partial)?;'),
    "NAME": (
        "create.rs",
        """    let settled = sync::folder(backups)
        .during("sync_backup_dir", backups)
        .and_then(|()| prune(backups, made));""",
    ),
    "TREE": (
        "restore.rs",
        'sync::tree(tree, contents.files).during("sync_restored", tree)?;',
    ),
    "DECISION": ("swap.rs", "    file.sync_all()?;\n"),
}
"""Statements of the crate's files that make something durable, by what that is."""


@pytest.fixture(scope="module")
def weak_adapter(
    build: Build, tmp_path_factory: pytest.TempPathFactory, tool: FindTool
) -> Callable[[str], str]:
    """Gives the option of the crate as it would be without one of its syncs."""
    tool("strace")
    crate = tmp_path_factory.mktemp("weak") / "weak-ticket"
    shutil.copytree(EXAMPLES / "reedbackup-ticket", crate, ignore=_tests)
    manifest = crate / "Cargo.toml"
    manifest.write_text(manifest.read_text().replace('"reedbackup-ticket"', '"weak-ticket"'))
    for name, (file, statement) in WEAKNESSES.items():
        path = crate / "src" / "ops" / "backup" / file
        text = path.read_text()
        assert text.count(statement) == 1, f"the crate's {file} syncs the {name} otherwise by now"
        is_let, _, value = statement.partition(" = ")
        strong = f'std::env::var_os("WITHOUT_{name}").is_none()'
        if value:
            pruned = "prune(backups, made)"
            weak = f"{is_let} = if {strong} {{ {value[:-1]} }} else {{ {pruned} }};"
        else:
            weak = f"if {strong} {{ {statement} }}"
        path.write_text(text.replace(statement, weak))
    adapter = build(crate, "ticket")
    return lambda name: f"env WITHOUT_{name}=1 {adapter}"


def _tests(folder: str, names: list[str]) -> list[str]:
    return ["tests"] if "Cargo.toml" in names else []


@pytest.mark.parametrize(
    ("without", "rule", "is_seen"),
    [
        ("ARCHIVE", "create/durable", True),
        ("NAME", "create/durable", True),
        ("TREE", "restore/durable", True),
        ("DECISION", "restore/power-cut", True),
        ("NOTHING", "create/durable", False),
        ("NOTHING", "restore/durable", False),
    ],
)
def test_a_sync_that_is_left_out_is_seen_by_its_rule(
    weak_adapter: Callable[[str], str], run_suite: RunSuite, without: str, rule: str, is_seen: bool
) -> None:
    ended, report = run_suite(weak_adapter(without), options=[f"--reedbackup-case=ticket/{rule}"])
    (case,) = report.cases
    if not case.sweep:
        pytest.skip(case.detail)
    assert bool(case.sweep.broken) == is_seen, ended.stdout
    assert case.outcome == ("fail" if is_seen else "pass"), ended.stdout


def test_the_drift_of_a_crate_like_the_baseline_shows_what_a_power_cut_costs(
    last_adapter: Path, run_suite: RunSuite
) -> None:
    rules = ("create/durable", "restore/durable", "restore/power-cut")
    options = ["--reedbackup-contract=ticket", *(f"--reedbackup-case=ticket/{r}" for r in rules)]
    ended, report = run_suite(str(last_adapter), options=options)
    if any(case.outcome == "skip" for case in report.cases):
        pytest.skip(next(case.detail for case in report.cases if case.outcome == "skip"))
    assert report.drift
    (part,) = report.drift.implementations
    rows = {row.subject: row for row in part.rows}
    assert {row.outcome for row in rows.values()} == {"fail"}, ended.stdout
    assert all("D13" in row.defects for row in rows.values())
    lost = "1 of 1 points; at reply#1, power cut at once: "
    reported = f"{lost}list_backups\nexpected the backup that was reported"
    assert rows["create/durable"].found.startswith(reported)
    assert rows["restore/durable"].found.startswith(f"{lost}tables/ and indices/")


@pytest.mark.campaign
@pytest.mark.parametrize("disk", ["ext4", "xfs", "btrfs"])
def test_the_ticket_crate_stands_every_point(
    ticket_adapter: Path, run_suite: RunSuite, disk: str
) -> None:
    # What fails is no file system's matter, so once will do.
    rules = (
        "durable*",
        "power-cut*",
        "atomic/calls",
        *(["failing-call"] if disk == "ext4" else []),
    )
    options = [f"--reedbackup-case=ticket/*/{rule}" for rule in rules]
    ended, report = run_suite(
        str(ticket_adapter),
        options=[*options, "--reedbackup-faults=full", f"--reedbackup-disk={disk}"],
    )
    swept = [case.sweep for case in report.cases if case.sweep]
    assert [result for sweep in swept for result in sweep.broken] == [], ended.stdout
    assert sum(sweep.visited for sweep in swept) > 300
    assert {case.outcome for case in report.cases} == {"pass"}
