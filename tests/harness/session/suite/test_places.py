"""Files that options name are looked at when a run starts, wherever it runs and as whom."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_reedbackup.implementations.command_line import words_of

pytest_plugins = ["pytester"]

ORDER = "--reedbackup-case=ticket/list/order"
PYTHON = "--reedbackup-impl=python"
WRITTEN = ("--reedbackup-report", "--reedbackup-write-divergences", "--reedbackup-record")
NOBODY = 65534
Ended = subprocess.CompletedProcess[str]


def refused(ended: pytest.RunResult) -> str:
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    shown = "\n".join(ended.outlines + ended.errlines)
    assert "Traceback" not in shown
    assert " under contract " not in shown
    (error,) = [line for line in ended.errlines if line.startswith("ERROR: ")]
    return error


@pytest.mark.parametrize("option", WRITTEN)
def test_a_folder_that_is_missing_is_made(pytester: pytest.Pytester, option: str) -> None:
    ended = pytester.runpytest_inprocess(PYTHON, ORDER, f"{option}=new/folder/file.json")
    assert ended.ret == pytest.ExitCode.OK
    assert [path.name for path in (pytester.path / "new" / "folder").iterdir()] == ["file.json"]


@pytest.mark.parametrize("option", WRITTEN)
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("folder", "Is a directory"),
        ("file/x.json", "Not a directory"),
        ("/proc/x.json", "No such file or directory"),
        # Not a device: code that fails this would rename its file over it.
        ("fifo", "it is no regular file"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_run(
    pytester: pytest.Pytester, option: str, name: str, words: str
) -> None:
    pytester.path.joinpath("folder").mkdir()
    pytester.path.joinpath("file").touch()
    os.mkfifo(pytester.path / "fifo")
    error = refused(pytester.runpytest_inprocess(PYTHON, ORDER, f"{option}={name}"))
    assert error.startswith(f"ERROR: {option}: cannot write ")
    assert words in error
    assert "give a file in a folder that you may write to" in error


@pytest.mark.parametrize("other", ["--reedbackup-record", "--reedbackup-divergences"])
def test_two_options_for_one_file_are_refused(pytester: pytest.Pytester, other: str) -> None:
    pytester.path.joinpath("x").touch()
    options = ["--reedbackup-write-divergences=./x", f"{other}=x"]
    assert "both name" in refused(pytester.runpytest_inprocess(PYTHON, ORDER, *options))


@pytest.mark.parametrize("option", WRITTEN)
def test_a_tilde_is_the_home_folder(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, option: str
) -> None:
    home = pytester.mkdir("home of mine")
    monkeypatch.setenv("HOME", str(home))
    ended = pytester.runpytest_inprocess(PYTHON, ORDER, f"{option}=~/out/x.json")
    assert ended.ret == pytest.ExitCode.OK
    assert (home / "out" / "x.json").is_file()
    assert not (pytester.path / "~").exists()


def test_a_tilde_is_the_home_folder_of_what_is_read_too(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = pytester.mkdir("home")
    monkeypatch.setenv("HOME", str(home))
    home.joinpath("adapter").symlink_to(sys.executable)
    home.joinpath("known.toml").write_text("implementations = []")
    served = "--reedbackup-impl=~/adapter -m reedbase_backup serve python"
    environment = f"PYTHONPATH={os.pathsep.join(sys.path)}"
    ended = pytester.runpytest_inprocess(
        served.replace("=", f"=env '{environment}' ", 1),
        ORDER,
        "--reedbackup-divergences=~/known.toml",
    )
    assert ended.ret == pytest.ExitCode.OK
    missing = pytester.runpytest_inprocess(PYTHON, "--reedbackup-source=~/no-such")
    assert f"{home}/no-such is no folder" in refused(missing)
    stranger = pytester.runpytest_inprocess(PYTHON, "--reedbackup-report=~no-such-user/x")
    assert "give the path in full" in refused(stranger)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("~/a --fast ~/b", ["/home/me/a", "--fast", "/home/me/b"]),
        ("'~/a' \"~/b\" \\~/c x~ a=~/b", ["~/a", "~/b", "~/c", "x~", "a=~/b"]),
        ("  ~/'a b'/c   ~", ["/home/me/a b/c", "/home/me"]),
        ("sh -c 'cat ~/x # y' # z", ["sh", "-c", "cat ~/x # y", "#", "z"]),
        ("", []),
    ],
)
def test_tildes_of_a_command_line_are_a_shells(
    monkeypatch: pytest.MonkeyPatch, command: str, words: list[str]
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert words_of(command) == words


# Another user, who may still read this Python wherever it is, and write nowhere.
AS_NOBODY = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
)


def run_as_nobody(folder: Path, temporary: Path, *arguments: str) -> Ended:
    """With a temporary folder of that user's own."""
    temporary.mkdir()
    os.chown(temporary, NOBODY, NOBODY)
    environment = {name: value for name, value in os.environ.items() if "PYTEST" not in name}
    environment |= {"TMPDIR": str(temporary), "HOME": str(temporary)}
    return subprocess.run(
        [*AS_NOBODY, sys.executable, "-m", "pytest", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def foreign() -> Iterator[Path]:
    """A folder of root's that others can only read; not within one that they cannot enter."""
    if subprocess.run([*AS_NOBODY, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("another user takes root and setpriv")
    with tempfile.TemporaryDirectory(prefix="reedbackup-foreign-", dir="/var/tmp") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("-W", "error")], ids=["plainly", "warnings-are-errors"])
def test_the_suite_runs_in_a_folder_of_another_users(
    foreign: Path, options: tuple[str, ...]
) -> None:
    project = foreign / "project"
    project.mkdir()
    suite = (PYTHON, ORDER, "--reedbackup-case=ticket/create/archive", *options)
    ended = run_as_nobody(project, foreign / "tmp", *suite)
    assert ": 2 kept, 0 broken, 0 errors" in ended.stdout, ended.stdout + ended.stderr
    assert ended.returncode == pytest.ExitCode.OK, ended.stdout + ended.stderr
    assert "reedbackup: nothing can be kept in" in ended.stdout
    assert list(project.iterdir()) == []


def test_the_suite_runs_beside_a_cache_of_another_users(foreign: Path) -> None:
    (foreign / "project" / ".pytest_cache" / "d").mkdir(parents=True)
    (foreign / "project").chmod(0o777)
    create = "--reedbackup-case=ticket/create/archive"
    ended = run_as_nobody(foreign / "project", foreign / "tmp", PYTHON, create)
    assert ": 1 kept, 0 broken, 0 errors" in ended.stdout, ended.stdout + ended.stderr


@pytest.mark.slow
def test_nothing_can_be_written_into_a_folder_of_another_users(foreign: Path) -> None:
    (foreign / "read-only.json").touch()
    for number, name in enumerate(("new/report.json", "report.json", "read-only.json")):
        option = f"--reedbackup-report={foreign}/{name}"
        ended = run_as_nobody(foreign, foreign / f"tmp {number}", PYTHON, ORDER, option)
        assert ended.returncode == pytest.ExitCode.USAGE_ERROR
        assert f"ERROR: --reedbackup-report: cannot write {foreign}/{name}" in ended.stderr
        assert "Permission denied" in ended.stderr
