"""`reedbackup demo` does what it tells, and leaves nothing behind, however it ends."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from fixture_types import FindTool
from reference.cli.terminals.terminal import at_terminal

from pytest_reedbackup.commands.demonstration import power, story
from pytest_reedbackup.commands.demonstration.telling import Teller
from pytest_reedbackup.injection.mounts import mount_points
from reedbase_backup.cli.commands import main
from reedbase_backup.cli.failures import Failed

CHAPTERS = ["A database", "Three backups", "Damage", "A restore", "A power cut", "Where to go next"]
DEMO = """
import sys
from pathlib import Path
from pytest_reedbackup.injection import scratch
memory = Path(sys.argv.pop(1))
scratch.memory = lambda: memory
from reedbase_backup.cli.commands import main
sys.exit(main())
"""
"""The command, with its temporary folders in one that is given."""


def trees(base: Path) -> dict[str, tuple[int, int, bytes]]:
    return {
        str(path.relative_to(base)): (
            path.stat().st_mode & 0o7777,
            path.stat().st_mtime_ns // 10**9,
            path.read_bytes() if path.is_file() else b"",
        )
        for root in ("tables", "indices")
        for path in [base / root, *(base / root).rglob("*")]
    }


def archived(archive: Path) -> Mapping[str, tuple[int, int, bytes]]:
    with tarfile.open(archive) as file:
        return {
            member.name: (
                member.mode,
                int(member.mtime),
                reading.read() if (reading := file.extractfile(member)) else b"",
            )
            for member in file
            if member.name.split("/")[0] in ("tables", "indices")
        }


@pytest.mark.slow
def test_it_does_each_step_and_its_restored_tree_is_the_backed_up_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reedbase_backup", "demo", "--power-cuts", "0"]
    folder = tmp_path / "demo"
    done = subprocess.run([*command, "--keep", str(folder)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line[4:] for line in lines if line[1:4] == "/5 "] == CHAPTERS[:-1]
    assert CHAPTERS[-1] in lines
    called = [" ".join(line.split()[1:3]) for line in lines if line.startswith("$ ")]
    assert [one.split()[1] for one in called if one.startswith("reedbackup")] == [
        *["create"] * 3,
        "list",
        "diff",
        "restore",
        "diff",
    ]
    assert "- 7 removed, M 1 changed" in lines
    assert "Nothing differs." in lines
    assert os.listdir(folder) == [".reed"]
    archives = sorted((folder / ".reed" / "backups").iterdir())
    assert len(archives) == 3
    live = trees(folder / ".reed")
    assert live == {name: archived(archives[-1])[name] for name in live}
    assert len(live) > 20
    own = [line for line in lines if "\t" not in line and not line.startswith(("Backup", "Rest"))]
    assert max(map(len, own)) <= 80


@pytest.mark.slow
def test_power_is_cut_and_nothing_is_left_behind(tmp_path: Path, tool: FindTool) -> None:
    tool("strace")
    if os.geteuid() != 0:
        pytest.skip("power cuts need root")
    command = [sys.executable, "-c", DEMO, str(tmp_path), "demo", "--power-cuts", "3"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    [letters] = [line for line in done.stdout.splitlines() if set(line) == {"o", "n", " "}]
    assert len(letters.split()) == 9
    assert "never a mixture" in done.stdout
    assert nothing_is_left(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("shown", ["3/5 Damage", "after the file system"])
def test_ctrl_c_leaves_nothing_behind(tmp_path: Path, tool: FindTool, shown: str) -> None:
    tool("strace")
    if os.geteuid() != 0:
        pytest.skip("power cuts need root")
    command = (sys.executable, "-c", DEMO, str(tmp_path))
    status, text = at_terminal("demo", command=command, typed={shown: "\x03"})
    assert status == 130
    assert "reedbackup: interrupted; nothing is left of it\n" in text
    assert "Traceback" not in text
    assert "Where to go next" not in text
    assert nothing_is_left(tmp_path)


STARTING = """
import sys, time
if "reedbase_backup" in sys.orig_argv:
    print("starting", flush=True)
    time.sleep(10)
"""
"""Python imports it as it starts: here, a command of the demonstration."""


@pytest.mark.slow
def test_ctrl_c_shows_no_traceback_of_a_command_that_is_about_to_start(tmp_path: Path) -> None:
    memory, site = tmp_path / "memory", tmp_path / "site"
    memory.mkdir()
    site.mkdir()
    (site / "sitecustomize.py").write_text(STARTING)
    command = (sys.executable, "-c", DEMO, str(memory))
    status, text = at_terminal(
        "demo", command=command, typed={"starting": "\x03"}, env={"PYTHONPATH": str(site)}
    )
    assert status == 130
    assert text.endswith("\nreedbackup: interrupted; nothing is left of it\n")
    assert "KeyboardInterrupt" not in text
    assert nothing_is_left(memory)


def nothing_is_left(folder: Path) -> bool:
    return os.listdir(folder) == [] and not [p for p in mount_points() if str(folder) in p]


def test_a_restore_that_does_not_bring_back_what_was_backed_up_fails_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damage(teller: Teller) -> None:
        (teller.base / "tables" / "text" / "current.csv").unlink()

    for name, told in (("_back_up", ignored), ("_damage", damage), ("_restore", ignored)):
        monkeypatch.setattr(story, name, told)
    with pytest.raises(Failed, match="the restored trees are not those that were backed up"):
        story.tell(Teller(tmp_path, ""), 0)


def ignored(teller: Teller) -> None:
    """Leave this chapter out."""


@pytest.mark.slow
def test_where_no_power_can_be_cut_it_says_why_and_kills(
    tmp_path: Path,
    tool: FindTool,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    tool("strace")
    monkeypatch.setattr(power, "why_not", lambda kind: "this is not root")
    monkeypatch.setattr(power, "create_backup", lambda base: None)
    (tmp_path / ".reed" / "tables" / "one").mkdir(parents=True)
    assert main(["create", str(tmp_path / ".reed")]) == 0
    power.cut_power(Teller(tmp_path, ""), 2, lambda base: "n")
    lines = capfd.readouterr().out.splitlines()
    assert "No power can be cut here, which only root may: this is not root." in lines
    assert "So 2 restores are killed instead, and the power stays." in lines
    assert "n n " in lines


def test_a_folder_with_something_in_it_is_not_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").touch()
    assert main(["demo", "--keep", str(tmp_path)]) == 1
    assert "is not empty" in capsys.readouterr().err
    assert os.listdir(tmp_path) == ["mine"]
