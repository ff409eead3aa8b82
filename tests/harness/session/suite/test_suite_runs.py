"""The suite, run from anybody's folder against any implementation."""

from __future__ import annotations

import re
import shlex
import sys

import pytest

from pytest_reedbackup.contracts import RULES

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.slow

LIST = "--reedbackup-case=ticket/list/order*"
ORDER = "--reedbackup-case=ticket/list/order"
SERVED = f"'{sys.executable}' -m reedbase_backup serve"
# A configuration for tests that are named, found and held in every other way.
HOSTILE = """
[pytest]
python_files = check_*.py
python_functions = check
python_classes = *
testpaths = checks
norecursedirs = *
usefixtures = their_fixture
addopts = -x --strict-markers --strict-config --import-mode=append -ra
filterwarnings = error
consider_namespace_packages = true
xfail_strict = true
"""


def verdict_lines(ended: pytest.RunResult) -> list[str]:
    return [line for line in ended.outlines if " under contract " in line]


def repeat_commands(ended: pytest.RunResult) -> list[str]:
    found = [re.fullmatch(r" +repeat +(pytest .*)", line) for line in ended.outlines]
    return list(dict.fromkeys(match.group(1) for match in found if match))


def test_the_suite_runs_from_an_empty_folder(pytester: pytest.Pytester) -> None:
    ended = pytester.runpytest_inprocess("--reedbackup-impl=python", LIST)
    assert ended.ret == pytest.ExitCode.OK
    ended.assert_outcomes(passed=5, deselected=ended.parseoutcomes()["deselected"])
    summary = ended.outlines.index(
        next(line for line in ended.outlines if "= reedbackup =" in line)
    )
    assert ended.outlines[summary + 1] == (
        "python under contract ticket: conforms as far as it was tried"
        f" (1 of {len(RULES['ticket'])} rules)"
        " — promises: 5 kept, 0 broken, 0 errors, 0 skipped"
    )
    assert list(pytester.path.glob("test_*")) == []


@pytest.fixture
def hostile_folder(pytester: pytest.Pytester) -> pytest.Pytester:
    """A user's folder with a configuration, a package and a file that get in the suite's way."""
    pytester.makeini(HOSTILE)
    pytester.makepyfile(
        **{
            "conformance/__init__": "raise ImportError('the user\\'s own')",
            "conformance/ticket/__init__": "",
            "conformance/ticket/test_ticket_list": "def test_theirs(): assert False",
            "test_ticket_list": "def test_theirs(): assert False",
            "checks/check_theirs": "def check_theirs(): assert False",
            "conftest": "import pytest\n@pytest.fixture\ndef their_fixture(): raise RuntimeError",
        }
    )
    return pytester


def test_the_suite_runs_in_spite_of_a_hostile_configuration(
    hostile_folder: pytest.Pytester,
) -> None:
    ended = hostile_folder.runpytest_subprocess("--reedbackup-impl=python", LIST)
    assert ended.ret == pytest.ExitCode.OK
    assert verdict_lines(ended)[0].endswith("5 kept, 0 broken, 0 errors, 0 skipped")
    assert "theirs" not in "\n".join(ended.outlines)


def test_the_suite_runs_under_xdist_in_spite_of_it(hostile_folder: pytest.Pytester) -> None:
    ended = hostile_folder.runpytest_subprocess("--reedbackup-impl=python", LIST, "-n", "2")
    assert ended.ret == pytest.ExitCode.OK
    assert verdict_lines(ended)[0].endswith("5 kept, 0 broken, 0 errors, 0 skipped")


@pytest.mark.parametrize(
    "options",
    [
        ["-p", "no:cacheprovider"],
        ["--import-mode=prepend"],
        ["--import-mode=append", "-p", "no:terminal"],
        ["-p", "no:hypothesispytest", "-p", "no:benchmark", "-p", "no:pytest_fakefs"],
        ["--doctest-modules", "--strict-markers"],
        ["-W", "error"],
    ],
    ids=" ".join,
)
def test_the_suite_runs_with_any_options_of_pytest(
    pytester: pytest.Pytester, options: list[str]
) -> None:
    pytester.makepyfile(test_ticket_list="def test_theirs(): assert False")
    ended = pytester.runpytest_inprocess("--reedbackup-impl=python", ORDER, *options)
    assert ended.ret == pytest.ExitCode.OK
    if "no:terminal" not in options:
        assert ended.parseoutcomes()["passed"] == 1


def test_a_broken_promise_shows_promise_expected_found_and_a_command(
    pytester: pytest.Pytester, mine: None
) -> None:
    ended = pytester.runpytest_inprocess("--reedbackup-impl=mine:Reversed", f"{LIST}/ties")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(
        [
            "*= reedbackup =*",
            "mine:Reversed under contract ticket: does not conform*0 kept, 1 broken, 0 errors*",
            "BROKEN ticket/list/order/ties*Of equal timestamps, the backup created last*",
            "  at       the ids of list_backups",
            "  differs  - expected, + found:",
            "           + '*'",
            "  repeat   pytest --reedbackup-impl=mine:Reversed"
            " --reedbackup-case=ticket/list/order/ties",
        ]
    )
    assert "Traceback" not in "\n".join(ended.outlines)


@pytest.mark.parametrize(
    "option", ["mine:Reversed", f"env A='b c' {SERVED} mine:Reversed"], ids=["object", "command"]
)
def test_the_command_repeats_just_that_case(
    pytester: pytest.Pytester, mine: None, option: str
) -> None:
    ended = pytester.runpytest_inprocess(
        f"--reedbackup-impl={option}", LIST, "--reedbackup-timeout=50"
    )
    failed = ended.parseoutcomes()["failed"]
    assert failed > 1
    commands = repeat_commands(ended)
    assert 1 <= len(commands) <= failed
    again = pytester.runpytest_inprocess(*shlex.split(commands[-1])[1:])
    outcomes = again.parseoutcomes()
    assert (outcomes["failed"], outcomes.get("passed", 0)) == (1, 0)
    assert repeat_commands(again) == [commands[-1]]


def test_several_implementations_make_one_matrix(pytester: pytest.Pytester, mine: None) -> None:
    options = [
        f"--reedbackup-impl={name}" for name in ("python", "mine:Conforming", "mine:Reversed")
    ]
    ended = pytester.runpytest_inprocess(*options, options[0], LIST, "--reedbackup-case=*/empty/*")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    assert [line.split(" under ")[0] for line in verdict_lines(ended)] == [
        "python",
        "mine:Conforming",
        "mine:Reversed",
    ]
    ended.stdout.re_match_lines(
        [
            r"mine:Reversed, contract ticket:",
            r"BROKEN ticket/list/order — .*",
            r"contract ticket +python +mine:Conforming +mine:Reversed *",
            r"list/order +kept +kept +BROKEN *",
            r"list/empty +kept +kept +kept *",
        ]
    )


def test_a_hang_costs_one_error_a_case_and_the_rest_goes_on(
    pytester: pytest.Pytester, mine: None
) -> None:
    served = f"{SERVED} mine:Hanging"
    ended = pytester.runpytest_inprocess(
        f"--reedbackup-impl={served}",
        "--reedbackup-impl=mine:Hanging",
        "--reedbackup-timeout=4",
        ORDER,
        "--reedbackup-case=ticket/create/archive",
    )
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    for line in verdict_lines(ended):
        assert ": undecided " in line
        assert line.endswith("1 kept, 0 broken, 1 errors, 0 skipped")
    shown = "\n".join(ended.outlines)
    assert re.search(r"list_backups\(base_path='.*'\): no answer within 4 s", shown)
    assert "its process group was killed; --reedbackup-timeout sets another limit" in shown
    outcomes = ended.parseoutcomes()
    assert (outcomes["passed"], outcomes["errors"], outcomes.get("failed")) == (2, 2, None)


def test_a_worker_that_dies_leaves_an_error_and_a_verdict(
    pytester: pytest.Pytester, mine: None
) -> None:
    ended = pytester.runpytest_subprocess(
        "--reedbackup-impl=mine:Gone", ORDER, "--reedbackup-case=ticket/create/archive", "-n", "1"
    )
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    (line,) = verdict_lines(ended)
    assert ": undecided " in line
    assert line.endswith("1 kept, 0 broken, 1 errors, 0 skipped")
    ended.stdout.fnmatch_lines(
        [
            "error ticket/list/order*",
            "  the process that ran the case ended before the case did",
            "  repeat * --reedbackup-case=ticket/list/order",
        ]
    )


def test_a_missing_capability_is_a_skip_with_its_name(
    pytester: pytest.Pytester, mine: None
) -> None:
    case = "--reedbackup-case=ticket/create/clock-backwards"
    # As with ssh or a static binary: what would move its clock does not get there.
    option = f"env -u LD_PRELOAD {SERVED} mine:Clockless"
    ended = pytester.runpytest_inprocess(f"--reedbackup-impl={option}", case, LIST)
    assert ended.ret == pytest.ExitCode.OK
    (line,) = verdict_lines(ended)
    assert ": conforms " in line
    assert line.endswith("5 kept, 0 broken, 0 errors, 1 skipped")
    ended.stdout.fnmatch_lines(["skipped ticket/create/clock-backwards: needs clock: *"])


@pytest.mark.parametrize(
    "case", ["create/same-second", "create/clock-backwards", "create/retention/clock-backwards"]
)
def test_the_same_cases_pass_with_libfaketime_where_it_is(
    pytester: pytest.Pytester, mine: None, case: str
) -> None:
    options = [f"--reedbackup-impl={SERVED} mine:Clockless", f"--reedbackup-case=ticket/{case}"]
    ended = pytester.runpytest_inprocess(*options)
    if "clock: libfaketime" not in "\n".join(ended.outlines):
        pytest.skip("libfaketime is not installed")
    assert ended.ret == pytest.ExitCode.OK
    assert verdict_lines(ended)[0].endswith("1 kept, 0 broken, 0 errors, 0 skipped")


def test_an_adapter_that_does_not_end_well_is_an_error(
    pytester: pytest.Pytester, mine: None
) -> None:
    script = f"{SERVED} mine:Conforming; exit 7"
    ended = pytester.runpytest_inprocess(
        f"--reedbackup-impl={shlex.join(['sh', '-c', script])}", ORDER
    )
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    assert ": undecided " in verdict_lines(ended)[0]
    ended.stdout.fnmatch_lines(["*shutdown: 'sh -c *' ended with exit status 7"])


SEEN_BY_GARBAGE = """
import gc
import pytest

@pytest.fixture(autouse=True)
def _look(request):
    is_seen = any(one is request.node for one in gc.get_objects())
    print("the test is", "seen" if is_seen else "not seen")

def test_theirs(reedbackup):
    pass
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([ORDER, "-p", "test_theirs"], "the test is not seen"),
        (["test_theirs.py"], "the test is seen"),
    ],
    ids=["the-suite", "a-users-own-tests"],
)
def test_garbage_is_not_sought_among_the_suites_tests_alone(
    pytester: pytest.Pytester, arguments: list[str], words: str
) -> None:
    pytester.makepyfile(test_theirs=SEEN_BY_GARBAGE)
    pytester.syspathinsert()
    ended = pytester.runpytest_subprocess("--reedbackup-impl=python", "-s", *arguments)
    assert ended.ret == pytest.ExitCode.OK
    assert any(line.endswith(words) for line in ended.outlines)


READS = """
import sys

def pytest_sessionfinish():
    read = {one.split(".")[-1] for one in sys.modules if ".test_last_" in f".{one}"}
    print("read of last:", len(read))
"""


@pytest.mark.parametrize(("implementation", "is_read"), [("python", False), ("python-last", True)])
def test_no_file_of_a_contract_that_nothing_is_held_against_is_read(
    pytester: pytest.Pytester, implementation: str, is_read: bool
) -> None:
    pytester.makepyfile(reads=READS)
    pytester.syspathinsert()
    ended = pytester.runpytest_subprocess(
        f"--reedbackup-impl={implementation}", "-p", "reads", "-s", "--collect-only", "-q"
    )
    (found,) = [line for line in ended.outlines if "read of last: " in line]
    assert found.endswith(" 0") is not is_read
