"""A skeleton in each language works as it is written: its own test, its README, the suite."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reedbase_backup.adapter.skeletons import SKELETONS, commands, write
from reedbase_backup.cli.commands import main

TOOLS = {"python": "python3", "rust": "cargo", "go": "go", "javascript": "node", "stdio": "python3"}
ENVIRONMENT = {
    **os.environ,
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
}


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        shlex.split(command), cwd=folder, env=ENVIRONMENT, capture_output=True, text=True
    )


@pytest.fixture(params=SKELETONS)
def language(request: pytest.FixtureRequest) -> str:
    """Each language whose tool is there: CI's machine need not have all."""
    name: str = request.param
    if shutil.which(TOOLS[name]) is None:
        pytest.skip(f"{TOOLS[name]} is not installed")
    return name


@pytest.mark.slow
def test_a_skeleton_passes_its_own_test_and_is_red_in_the_suite_for_what_is_to_be_written(
    language: str, tmp_path: Path
) -> None:
    folder = tmp_path / "mine"
    assert main(["adapter", language, "--out", str(folder)]) == 0
    skeleton = SKELETONS[language]
    for command in filter(None, (skeleton.build, skeleton.test)):
        ended = run(command, folder)
        assert ended.returncode == 0, ended.stdout + ended.stderr
    case = "--reedbackup-case=ticket/list/empty/no-base"
    ended = run(f"pytest '--reedbackup-impl={skeleton.implementation}' {case}", folder)
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED, ended.stdout + ended.stderr
    assert "does not conform" in ended.stdout
    assert "error ToBeWritten: " in ended.stdout


@pytest.mark.parametrize("name", SKELETONS)
def test_no_file_of_a_skeleton_is_over_80_lines_and_the_readme_is_one_screen(
    name: str, tmp_path: Path
) -> None:
    write(name, tmp_path / "mine")
    files = [path for path in (tmp_path / "mine").rglob("*") if path.is_file()]
    assert len(files) >= 4
    assert all(len(path.read_text().splitlines()) < 80 for path in files)
    readme = (tmp_path / "mine" / "README.md").read_text()
    assert len(readme.splitlines()) <= 25
    assert SKELETONS[name].code in readme


@pytest.mark.parametrize("name", SKELETONS)
def test_the_file_for_ci_runs_what_the_readme_says(name: str, tmp_path: Path) -> None:
    write(name, tmp_path / "mine")
    workflow = (tmp_path / "mine" / ".github" / "workflows" / "conformance.yml").read_text()
    run = re.findall(r"^      - run: (.*)$", workflow, re.MULTILINE)
    typed = commands(SKELETONS[name])
    assert run[:-1] == typed[:-1]
    assert run[-1].startswith(f"{typed[-1]} --reedbackup")
    readme = (tmp_path / "mine" / "README.md").read_text()
    assert "\n".join(commands(SKELETONS[name])) in readme


def test_a_folder_with_something_in_it_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "theirs").write_text("theirs")
    assert main(["adapter", "python", "--out", str(tmp_path)]) == 2
    assert "give --out another folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["theirs"]
