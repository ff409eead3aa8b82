"""The plugin for those who do not use it, and usage errors for those who do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from harness.fixture_types import RunPytest

from pytest_reedbackup.session.suite.place import suite_folder

pytest_plugins = ["pytester"]

# Heavy, or ours: nothing of it may be loaded by a run that does not ask for it.
OURS_ON_DEMAND = {
    "hypothesis",
    "isal",
    "msgspec",
    "pyfakefs",
    "pytest_benchmark",
    "reedbase_backup",
    "rich",
    "tree_sitter",
    "xdist",
}
FOOT = """
import json, sys

def pytest_unconfigure():
    sys.stderr.write("LOADED " + json.dumps(sorted(sys.modules)) + "\\n")
"""


def loaded_by(*command: str, cwd: object) -> set[str]:
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=str(cwd),
        env={"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    line = next(line for line in ended.stderr.splitlines() if line.startswith("LOADED "))
    return set(json.loads(line.removeprefix("LOADED ")))


def test_importing_the_entry_point_imports_next_to_nothing(tmp_path: Path) -> None:
    code = "import pytest_reedbackup.plugin" + FOOT + "pytest_unconfigure()"
    loaded = loaded_by("-c", code, cwd=tmp_path)
    assert {name.partition(".")[0] for name in loaded} & OURS_ON_DEMAND == set()
    ours = {name for name in loaded if name.startswith("pytest_reedbackup")}
    assert ours == {"pytest_reedbackup", "pytest_reedbackup.plugin"}


def test_a_plain_run_elsewhere_loads_nothing_because_of_us(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(FOOT)
    (tmp_path / "test_theirs.py").write_text("def test_theirs(tmp_path): pass\n")
    plain = ["-m", "pytest", "-q", "-p", "no:cacheprovider"]
    with_us = loaded_by(*plain, "-p", "pytest_reedbackup.plugin", cwd=tmp_path)
    without = loaded_by(*plain, cwd=tmp_path)
    assert {name.partition(".")[0] for name in with_us} & OURS_ON_DEMAND == set()
    assert with_us - without <= {
        "pytest_reedbackup",
        "pytest_reedbackup.fixtures",
        "pytest_reedbackup.plugin",
    }


def test_the_options_are_explained(pytester: pytest.Pytester) -> None:
    shown = " ".join(pytester.runpytest_inprocess("--help").outlines)
    for words in (
        "conformance of ReedBase backup implementations",
        "--reedbackup-impl=IMPL",
        "--reedbackup-contract={ticket,last}",
        "--reedbackup-case=ID",
        "--reedbackup-timeout=SECS",
        "--reedbackup-hello-timeout=SECS",
    ):
        assert words in shown


DOCUMENTED = {
    *("reedbackup", "reedbackup_db", "reedbackup_db_10k", "reedbackup_make_db"),
    *("reedbackup_power_cut", "reedbackup_failing_calls", "reedbackup_fake_db"),
}


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--reedbackup-impl=python"],
        ["--reedbackup-impl=python", "test_theirs.py"],
    ],
    ids=["without an implementation", "the suite", "tests of their own"],
)
def test_a_user_sees_the_documented_fixtures_alone(
    tmp_path: Path, run_pytest: RunPytest, arguments: list[str]
) -> None:
    (tmp_path / "test_theirs.py").write_text("def test_theirs(reedbackup_db): pass\n")
    ended = run_pytest(tmp_path, "--fixtures", *arguments)
    assert ended.returncode == 0, ended.stdout
    lines = re.findall(r"^(\w*reedbackup\w*)(?: \[.*\])? -- (.*)\n +(.*)", ended.stdout, re.M)
    assert {name for name, _, _ in lines} == DOCUMENTED
    assert {where.split(":")[0].rpartition("pytest_reedbackup/")[2] for _, where, _ in lines} == {
        "fixtures.py"
    }
    assert all(explanation for _, _, explanation in lines)


@pytest.mark.slow
def test_cases_of_the_suite_have_their_fixtures_also_in_a_run_of_a_users(
    tmp_path: Path, run_pytest: RunPytest
) -> None:
    file = suite_folder() / "ticket" / "test_ticket_interchange.py"
    ended = run_pytest(tmp_path, "-q", str(file))
    assert ended.returncode == 0, ended.stdout
    assert "reedbackup_all" in file.read_text("utf-8")


EXTRA_FIELD = """
import json, sys
sys.stdin.readline()
hello = {"protocol": 1, "name": "x", "version": "1", "language": "x", "contracts": ["ticket"],
         "capabilities": [], "motto": "more"}
print(json.dumps({"jsonrpc": "2.0", "id": 1, "result": hello}), flush=True)
sys.stdin.read()
"""
LACKING = "class Lacking:\n def create_backup(self, base_path): ...\n"
PYTHON = f"'{sys.executable}' -S -E"
USAGE_ERRORS = {
    "no-such-command": (["--reedbackup-impl=no-such-adapter --x"], "cannot start", "give python"),
    "ends-at-once": (["--reedbackup-impl=false"], "exit status 1", "try it by hand: echo"),
    "hello-without-answer": (
        ["--reedbackup-impl=sleep 60", "--reedbackup-hello-timeout=0.2"],
        "no reply from 'sleep 60' within 0.2 s",
        "--reedbackup-hello-timeout sets another limit",
    ),
    "hello-with-unknown-fields": (
        [f"--reedbackup-impl={PYTHON} extra.py"],
        "`result.motto`: unknown field",
        "try it by hand",
    ),
    "malformed-command-line": (
        ["--reedbackup-impl=./adapter 'x"],
        "no command line: No closing quotation",
        "give python",
    ),
    "empty": (["--reedbackup-impl="], "it is empty", "give python"),
    "no-such-module": (
        ["--reedbackup-impl=no_such_module:Thing"],
        "No module named 'no_such_module'",
        "modules are sought in",
    ),
    "no-such-object": (
        ["--reedbackup-impl=lacking:Thing"],
        "module 'lacking' has no attribute 'Thing'",
        "modules are sought in",
    ),
    "lacks-functions": (
        ["--reedbackup-impl=lacking:Lacking"],
        "has no function list_backups and no restore_point_in_time",
        "an implementation has create_backup, list_backups, restore_point_in_time",
    ),
    "no-case-matches": (
        ["--reedbackup-impl=python", "--reedbackup-case=ticket/restore/pikc"],
        "no case matches ticket/restore/pikc",
        "the nearest that there is: ticket/restore/pick",
    ),
}


@pytest.mark.parametrize(("arguments", "cause", "remedy"), USAGE_ERRORS.values(), ids=USAGE_ERRORS)
def test_a_usage_error_is_one_line_that_says_what_to_do(
    pytester: pytest.Pytester, arguments: list[str], cause: str, remedy: str
) -> None:
    pytester.makepyfile(extra=EXTRA_FIELD, lacking=LACKING)
    ended = pytester.runpytest_inprocess("-q", *arguments)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in ended.errlines if line.startswith("ERROR: ")]
    assert len(errors) == 1
    assert errors[0].startswith("ERROR: --reedbackup-")
    # One line, but for a reply that does not fit: then all that is wrong with it follows.
    told = "\n".join(ended.errlines)
    assert cause in told
    assert remedy in told
    shown = "\n".join(ended.errlines + ended.outlines)
    assert "Traceback" not in shown
    assert "INTERNALERROR" not in shown


# From here on: pytest itself starts in another way on the real one.
ON_WINDOWS = """
import sys

def {hook}():
    sys.platform = "win32"
"""
THEIRS = """
def test_unrelated(): pass
def test_database(reedbackup_db): pass
def test_implementation(reedbackup): pass
"""


def test_on_windows_an_implementation_is_one_usage_error(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", sys.platform)  # to be put back
    pytester.makepyfile(on_windows=ON_WINDOWS.format(hook="pytest_configure"))
    pytester.syspathinsert()
    ended = pytester.runpytest_inprocess("-q", "--reedbackup-impl=python", "-p", "on_windows")
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    (error,) = [line for line in ended.errlines if line.startswith("ERROR: ")]
    assert error.startswith("ERROR: --reedbackup-impl: pytest-reedbackup needs Linux or macOS")
    assert "INTERNALERROR" not in "\n".join(ended.errlines + ended.outlines)


def test_on_windows_tests_without_our_fixtures_run_and_others_say_why_not(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", sys.platform)  # to be put back
    pytester.makeconftest(ON_WINDOWS.format(hook="pytest_collection_finish"))
    pytester.makepyfile(THEIRS)
    ended = pytester.runpytest_inprocess("-p", "no:randomly")
    ended.assert_outcomes(passed=1, errors=2)
    reasons = [line for line in ended.outlines if line.startswith("pytest-reedbackup needs")]
    assert len(reasons) == 2
    assert "Traceback" not in "\n".join(ended.outlines)


@pytest.mark.slow
def test_under_xdist_a_usage_error_is_said_too(tmp_path: Path, run_pytest: RunPytest) -> None:
    case = "--reedbackup-case=ticket/restore/pikc"
    ended = run_pytest(tmp_path, "-q", "--reedbackup-impl=python", case, "-n", "1")
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    errors = [line for line in ended.stderr.splitlines() if line.startswith("ERROR: ")]
    assert len(errors) == 1
    assert errors[0].startswith("ERROR: --reedbackup-case: no case matches ticket/restore/pikc;")
    assert "Traceback" not in ended.stderr + ended.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--reedbackup-timeout=0"], "0 is not a number of seconds above 0"),
        (["--reedbackup-timeout=-1"], "-1 is not a number of seconds above 0"),
        (["--reedbackup-timeout=nan"], "nan is not a number of seconds above 0"),
        (["--reedbackup-hello-timeout=inf"], "inf is not a number of seconds above 0"),
        (["--reedbackup-timeout=soon"], "soon is not a number of seconds above 0"),
        (["--reedbackup-contract=first"], "invalid choice: 'first'"),
    ],
)
def test_an_option_that_makes_no_sense_is_a_usage_error(
    pytester: pytest.Pytester, arguments: list[str], words: str
) -> None:
    ended = pytester.runpytest_inprocess(*arguments)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    assert words in "\n".join(ended.errlines)
