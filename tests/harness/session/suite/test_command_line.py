"""Options and paths on the command line, and what is refused in one line."""

from __future__ import annotations

import json
import sys

import pytest
from harness.session.suite.projects import ORDER, SUITE, make

pytest_plugins = ["pytester"]
pytestmark = pytest.mark.slow


@pytest.mark.parametrize("options", [["--theirs", "value"], ["--theirs=value"]], ids=str)
def test_an_option_of_a_conftest_is_one_usage_error_for_the_suite(
    pytester: pytest.Pytester, options: list[str]
) -> None:
    theirs = "def pytest_addoption(parser): parser.addoption('--theirs')"
    make(pytester, {"conftest.py": theirs, "theirs/test_theirs.py": "def test_theirs(): pass"})
    ended = pytester.runpytest_inprocess("--reedbackup-impl=python", *options)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    assert "--theirs" in "\n".join(ended.errlines)
    own = pytester.runpytest_inprocess("--reedbackup-impl=python", "theirs", *options)
    own.assert_outcomes(passed=1)


def options_of_the_plugin(pytester: pytest.Pytester) -> dict[str, object]:
    return {
        f"--{name.replace('_', '-')}": value
        for name, value in vars(pytester.parseconfig().option).items()
        if name.startswith("reedbackup_") and name != "reedbackup_impl"
    }


def test_every_option_without_an_implementation_is_a_usage_error(pytester: pytest.Pytester) -> None:
    make(pytester, {"test_theirs.py": "def test_theirs(): pass"})
    options = options_of_the_plugin(pytester)
    assert len(options) >= 12
    for option, default in options.items():
        value = "ticket" if option == "--reedbackup-contract" else default or "1"
        for arguments in ([f"{option}={value}"], [option, str(value), "test_theirs.py"]):
            ended = pytester.runpytest_inprocess(*arguments)
            assert ended.ret == pytest.ExitCode.USAGE_ERROR, option
            (error,) = [line for line in ended.errlines if line.startswith("ERROR: ")]
            assert error.startswith(f"ERROR: {option}: give --reedbackup-impl=IMPL too"), option


def test_such_an_option_may_wait_in_the_settings_for_an_implementation(
    pytester: pytest.Pytester,
) -> None:
    make(
        pytester,
        {
            "test_theirs.py": "def test_theirs(): pass",
            "pytest.ini": "[pytest]\naddopts = --reedbackup-divergences=known.toml\n",
        },
    )
    pytester.runpytest_inprocess().assert_outcomes(passed=1)


RUN = """
import pathlib, pytest, sys
if __name__ == "__main__":
    sys.exit(pytest.main(["--reedbackup-impl=python", *map(pathlib.Path, sys.argv[1:])]))
"""


@pytest.mark.parametrize("which", [ORDER, "test_theirs.py"])
def test_arguments_may_be_paths_as_pytest_itself_takes_them(
    pytester: pytest.Pytester, which: str
) -> None:
    script = pytester.makepyfile(run=RUN)
    pytester.makepyfile(test_theirs="def test_theirs(reedbackup): pass")
    ended = pytester.run(sys.executable, script, which, "--reedbackup-report=r.json")
    ended.assert_outcomes(passed=1)
    header = json.loads((pytester.path / "r.json").read_text())["header"]
    assert header["arguments"][1:] == [which, "--reedbackup-report=r.json"]


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("required_plugins = pytest-no-such", "Missing required plugins: pytest-no-such"),
        ("minversion = 99", "'minversion' requires pytest-99"),
    ],
)
def test_what_pytest_itself_refuses_to_start_with_is_one_line_and_a_failure(
    pytester: pytest.Pytester, setting: str, words: str
) -> None:
    make(pytester, {"pytest.ini": f"[pytest]\n{setting}\n"})
    ended = pytester.runpytest_inprocess(*SUITE)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    (error,) = [line for line in ended.errlines if line.startswith("ERROR: ")]
    assert words in error


def test_what_stands_on_the_command_line_counts(pytester: pytest.Pytester) -> None:
    ended = pytester.runpytest_inprocess(*SUITE, "-k", "nothing")
    assert ended.ret != pytest.ExitCode.OK
    assert ended.parseoutcomes().get("passed", 0) == 0
