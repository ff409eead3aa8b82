"""The examples for CI are read as their services read them, and their steps run one by one.

No test uses the network: the step that installs the kit is left out, for it is installed here.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents.pages import PROJECT

from reedbase_backup.adapter.skeletons import write

EXAMPLES = re.findall(
    r"^```yaml\n(.*?)^```$", (PROJECT / "docs/ci.md").read_text(), re.MULTILINE | re.DOTALL
)
INSTALL = "python3 -m pip install pytest-reedbackup"
BIN = Path(sys.executable).parent
WRITTEN = f"""#!{sys.executable}
import os
os.execv({str(BIN / "reedbackup")!r}, ["reedbackup", "serve"])
"""
"""An adapter whose functions are written."""


def steps_on_github() -> list[str]:
    job = yaml.safe_load(EXAMPLES[0])["jobs"]["conformance"]
    return [step["run"] for step in job["steps"] if "run" in step]


def job_on_gitlab() -> dict[str, Any]:
    job: dict[str, Any] = yaml.safe_load(EXAMPLES[1])["conformance"]
    return job


def test_the_example_for_github_is_what_a_skeleton_has(tmp_path: Path) -> None:
    write("python", tmp_path / "mine")
    workflow = tmp_path / "mine" / ".github" / "workflows" / "conformance.yml"
    assert workflow.read_text() == EXAMPLES[0]


def test_what_is_kept_of_a_job_is_kept_of_a_red_one_too() -> None:
    job = yaml.safe_load(EXAMPLES[0])["jobs"]["conformance"]
    *_, upload = job["steps"]
    assert upload["if"] == "always()"
    assert f"--reedbackup-report={upload['with']['path']}" in steps_on_github()[-1]
    kept = job_on_gitlab()["artifacts"]
    assert kept["when"] == "always"
    last = job_on_gitlab()["script"][-1]
    assert f"--reedbackup-report={kept['paths'][0]}" in last
    assert f"--junitxml={kept['reports']['junit']}" in last


@pytest.mark.slow
@pytest.mark.parametrize(
    "steps", [steps_on_github(), job_on_gitlab()["script"]], ids=["github", "gitlab"]
)
def test_the_steps_of_an_example_run_one_after_the_other(steps: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "checked-out"
    write("python", folder)
    (folder / "adapter.py").write_text(WRITTEN)
    (folder / "summary.md").touch()
    assert steps[0] == INSTALL
    for step in steps[1:]:
        ended = subprocess.run(
            ["bash", "-e", "-c", step],
            cwd=folder,
            env={
                **{n: v for n, v in os.environ.items() if not n.startswith("PYTEST_")},
                "PATH": f"{BIN}:{os.environ['PATH']}",
                "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
                # Of all cases it takes a minute, and says no more.
                "PYTEST_ADDOPTS": "--reedbackup-case=ticket/list/empty*",
            },
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "conforms as far as it was tried" in (folder / "report.html").read_text()
    assert "conforms as far as it was tried" in (folder / "summary.md").read_text()
    assert (folder / "report.xml").exists() is (steps != steps_on_github())
