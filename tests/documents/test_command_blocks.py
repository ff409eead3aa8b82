"""Every command of README and docs is run, page by page, as it stands there.

In a folder that has what the page takes for granted: adapters by the names that it gives them, a
database with backups, a host that is reached by ssh. What a test cannot do is named in `OTHERWISE`.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from documents.pages import PAGES, PROJECT
from fixture_types import BackupAt, MakeBase
from harness.reports.reports import report_of

from pytest_reedbackup.reports import json_report

BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BIN = Path(sys.executable).parent

OTHERWISE = {
    # No test uses the network: what is installed is there. CI makes the second command whole.
    "python3 -m venv .venv && .venv/bin/pip install -q . && ": "",
    "python3 -m venv .venv && .venv/bin/pip install -q '.[test]' && .venv/bin/pytest -n 3": "true",
    # Another disk, and hosts.
    "/mnt/disk/backups": "./far",
    "s3://bucket/backups": "./far",
    "sftp://me@host/srv/backups": "./far",
    # Minutes each.
    "--reedbackup-examples=1000": "--reedbackup-examples=4",
    "pytest_reedbackup.bench": f"pytest_reedbackup.bench --from {PROJECT}/docs/performance.json",
}
"""What is run in the place of a part of a command."""

RED = ("pytest --reedbackup-impl='python3 my-adapter/adapter.py'", "python -m pytest_reedbackup.be")
"""How commands begin that end with 1: of a skeleton all is unwritten, and targets are missed."""

FEW_CASES = "--reedbackup-case=*/list/empty* --reedbackup-faults=off"


def commands(page: str) -> list[str]:
    """Return the commands of a page, each in one line."""
    blocks = BLOCK.findall((PROJECT / page).read_text())
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_there_are_commands_and_what_is_run_in_their_place_is_for_some() -> None:
    found = [command for page in PAGES for command in commands(page)]
    assert len(found) > 30
    assert all(any(part in command for command in found) for part in (*OTHERWISE, *RED))


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_the_commands_of_a_page_run_one_after_the_other(
    page: str, tmp_path: Path, make_base: MakeBase, backup_at: BackupAt
) -> None:
    base = make_base("routes", "text")
    for seconds in (1_000_000_000, 1_795_338_000):
        backup_at(base, seconds)
    _write_programs(tmp_path, commands(page))
    for command in commands(page):
        run = command
        for part, other in OTHERWISE.items():
            run = run.replace(part, other)
        environment = {n: v for n, v in os.environ.items() if not n.startswith("PYTEST_")}
        ended = subprocess.run(
            ["bash", "-c", run],
            cwd=tmp_path,
            env=environment
            | {"PATH": f"{tmp_path}:{BIN}:{environment['PATH']}", "PYTEST_ADDOPTS": FEW_CASES},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        said = f"{run}\n{ended.stdout}{ended.stderr}"
        assert ended.returncode == (1 if command.startswith(RED) else 0), said
        assert ("error ToBeWritten: " in said) is command.startswith(RED[0]), said


def _write_programs(folder: Path, lines: Sequence[str]) -> None:
    """Write what the commands of a page take for granted, but for what they write themselves."""
    served = f"#!/bin/sh\nexec {BIN}/reedbackup serve"
    programs = {
        "my-adapter": f"{served} python\n",
        "my-port": f"{served} python-last\n",
        "rust-adapter": f"{served} python-last\n",
        "adapter-for-last": f"{served} python-last\n",
        "ssh": '#!/bin/sh\nshift\nexec "$1"\n',
    }
    for name, text in programs.items():
        if not any(f"--out {name}" in line for line in lines):
            (folder / name).write_text(text)
            (folder / name).chmod(0o755)
    (folder / "my_package").mkdir()
    (folder / "my_package" / "backup.py").write_text(
        "import reedbase_backup as Implementation\nImplementation.contracts = ('ticket',)\n"
    )
    (folder / ".venv").mkdir()
    (folder / ".venv" / "bin").symlink_to(BIN)
    (folder / "docs").mkdir()
    (folder / "path/to/last/src").mkdir(parents=True)
    source = PROJECT / "adapters/rust/examples/reedbackup-last-shape/src/backup"
    (folder / "path/to/last/src/backup").symlink_to(source)
    json_report.write(folder / "old.json", report_of([]))
