"""Users' own tests with the plugin's fixtures, and cases of their own."""

from __future__ import annotations

import shlex
import sys

import pytest

pytest_plugins = ["pytester"]

THEIRS = """
from pytest_reedbackup.databases.spec import DatabaseSpec
from reedbase_backup.archive.tar.reader import __name__ as unrelated

def test_small(reedbackup_db):
    names = sorted(path.name for path in reedbackup_db.iterdir())
    assert names == ["indices", "registry", "tables"]
    assert len(list((reedbackup_db / "tables").iterdir())) == 3

def test_each_has_a_clone_of_its_own(reedbackup_db):
    (reedbackup_db / "tables" / "text" / "current.csv").write_text("changed")
    assert not (reedbackup_db / "backups").exists()

def test_changes_of_the_test_before_are_not_seen(reedbackup_db):
    assert (reedbackup_db / "tables" / "text" / "current.csv").read_text() != "changed"

def test_10k(reedbackup_db_10k):
    rows = sum(
        len(path.read_text("utf-8").splitlines()) - 1
        for path in reedbackup_db_10k.glob("tables/*/current.csv")
    )
    assert rows == 10_000

def test_factory(reedbackup_make_db):
    base = reedbackup_make_db(DatabaseSpec(tables=("mine", "yours"), rows=6, indices=1, seed=5))
    assert sorted(path.name for path in (base / "tables").iterdir()) == ["mine", "yours"]
    again = reedbackup_make_db(DatabaseSpec(tables=("mine", "yours"), rows=6, indices=1, seed=5))
    assert again != base
    same = [(b / "tables" / "mine" / "current.csv").read_bytes() for b in (base, again)]
    assert same[0] == same[1]

def test_backup(reedbackup, reedbackup_db):
    reedbackup.clock.set(1_700_000_000)
    made = reedbackup.created(reedbackup_db)
    print("IMPLEMENTATION", reedbackup.connection.hello.name)
    assert made.timestamp == 1_700_000_000
    assert reedbackup.listed(reedbackup_db) == [made]

def test_the_clock_is_the_real_one_again(reedbackup):
    assert reedbackup.clock.seconds() > 1_750_000_000
"""

CASES = """
import pytest
from pytest_reedbackup.model.case import case
from pytest_reedbackup.model.failures import BrokenPromise, MissingCapability, UndecidedBound
from pytest_reedbackup.checks.expectations import expect

@case("ticket/list/order/theirs", "A promise of theirs.")
def test_kept(reedbackup, reedbackup_db):
    expect("list_backups", reedbackup.listed(reedbackup_db), [])
"""


def outcome_case(name: str, body: str) -> str:
    return (
        CASES
        + f"""
@case("ticket/list/order/{name}", "The promise about {name}.")
def test_{name.replace("-", "_")}(reedbackup):
    {body}
"""
    )


def shown_by(ended: pytest.RunResult) -> str:
    return "\n".join(ended.outlines)


def test_the_fixtures_work_without_any_option(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_theirs=THEIRS)
    ended = pytester.runpytest_inprocess("-rP")
    ended.assert_outcomes(passed=7)
    assert "IMPLEMENTATION python" in ended.outlines
    assert " under contract " not in shown_by(ended)


IN_THREADS = """
from concurrent.futures import ThreadPoolExecutor

def test_backup_in_threads(reedbackup, reedbackup_make_db):
    from pytest_reedbackup.databases.spec import SMALL
    bases = [reedbackup_make_db(SMALL) for _ in range(8)]
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(reedbackup.created, bases))
        assert list(threads.map(reedbackup.listed, bases)) == [[each] for each in made]
    assert reedbackup.listed(bases[0]) == [made[0]]
"""


@pytest.mark.parametrize("option", ["python", f"'{sys.executable}' -m reedbase_backup serve"])
def test_the_implementation_may_be_used_in_threads(pytester: pytest.Pytester, option: str) -> None:
    pytester.makepyfile(test_threads=IN_THREADS)
    ended = pytester.runpytest_inprocess(f"--reedbackup-impl={option}", "test_threads.py")
    ended.assert_outcomes(passed=1)


def test_with_paths_given_the_users_tests_run_for_each_implementation(
    pytester: pytest.Pytester, mine: None
) -> None:
    pytester.makepyfile(test_theirs=THEIRS)
    options = ["--reedbackup-impl=python", "--reedbackup-impl=mine:Conforming"]
    ended = pytester.runpytest_inprocess("-rP", *options, "test_theirs.py")
    # Those that take no implementation run once.
    ended.assert_outcomes(passed=5 + 2 * 2)
    names = [line for line in ended.outlines if line.startswith("IMPLEMENTATION")]
    assert sorted(names) == ["IMPLEMENTATION mine:Conforming", "IMPLEMENTATION python"]
    assert " under contract " not in shown_by(ended)


def test_a_missing_capability_skips_a_users_test_too(pytester: pytest.Pytester, mine: None) -> None:
    pytester.makepyfile(
        test_theirs="""
        from pytest_reedbackup.model.failures import MissingCapability

        def test_far_away(reedbackup):
            raise MissingCapability("teleport", "nobody has it")

        def test_here(reedbackup): pass
        """
    )
    ended = pytester.runpytest_inprocess(
        "-rs", "--reedbackup-impl=mine:Conforming", "test_theirs.py"
    )
    ended.assert_outcomes(passed=1, skipped=1)
    ended.stdout.fnmatch_lines(["SKIPPED * needs teleport: nobody has it*"])


def test_a_users_own_case_has_an_outcome_and_a_verdict(
    pytester: pytest.Pytester, mine: None
) -> None:
    pytester.makepyfile(test_theirs=CASES)
    ended = pytester.runpytest_inprocess("--reedbackup-impl=mine:Conforming", "test_theirs.py")
    ended.assert_outcomes(passed=1)
    ended.stdout.fnmatch_lines(
        ["mine:Conforming under contract ticket: conforms * 1 kept, 0 broken, 0 errors, 0 skipped"]
    )


def test_a_users_case_is_repeated_by_its_path(pytester: pytest.Pytester, mine: None) -> None:
    pytester.makepyfile(**{"my tests/test_theirs": outcome_case("wrong", "expect('it', 1, 2)")})
    ended = pytester.runpytest_inprocess("--reedbackup-impl=mine:Conforming", "my tests")
    case = "ticket/list/order/wrong"
    command = f"pytest 'my tests' --reedbackup-impl=mine:Conforming --reedbackup-case={case}"
    ended.assert_outcomes(passed=1, failed=1)
    assert f"  repeat   {command}" in ended.outlines
    again = pytester.runpytest_inprocess(*shlex.split(command)[1:])
    again.assert_outcomes(failed=1, deselected=1)


OUTCOMES = {
    "fail": ("raise BrokenPromise('it', expected='this', found='that')", "does not conform", 1),
    "error-of-the-harness": ("raise RuntimeError('a bug of ours')", "undecided", 1),
    "error-by-assertion": ("assert 1 == 2", "undecided", 1),
    "error-of-the-machine": ("open('/no/such/file')", "undecided", 1),
    "skip": ("raise MissingCapability('teleport', 'nobody has it')", "conforms", 0),
    "not-checked": ("pytest.skip('not today')", "undecided", 1),
    "not-checked-xfail": ("pytest.xfail('some day')", "undecided", 1),
    "missing-tool": ("raise MissingCapability('a tool', 'none', tool=True)", "conforms", 0),
    "undecided": ("raise UndecidedBound('too noisy')", "undecided", 0),
}

COUNTED = {
    "fail": "1 broken",
    "error": "1 errors",
    "skip": "1 skipped",
    "missing": "1 skipped",
    "not": "1 not checked",
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_what_ends_a_case_decides_its_outcome_and_the_exit_status(
    pytester: pytest.Pytester, mine: None, name: str
) -> None:
    body, verdict, status = OUTCOMES[name]
    pytester.makepyfile(test_theirs=outcome_case(name, body))
    ended = pytester.runpytest_inprocess("--reedbackup-impl=mine:Conforming", "test_theirs.py")
    assert ended.ret == status
    (line,) = [line for line in ended.outlines if " under contract " in line]
    limited = " as far as it was tried" if verdict == "conforms" else ""
    assert f": {verdict}{limited} (" in line
    assert ": 1 kept, " in line
    assert COUNTED.get(name.partition("-")[0], "1 undecided") in line
    if name.startswith("error"):
        assert "not the implementation's broken promise, but the harness's" in shown_by(ended)
        assert "0 broken" in line


def test_a_rule_that_a_missing_tool_leaves_unchecked_is_undecided(
    pytester: pytest.Pytester, mine: None
) -> None:
    body = outcome_case("x", "raise MissingCapability('strace', 'none', tool=True)")
    pytester.makepyfile(test_theirs=body.replace("list/order/x", "restore/atomic"))
    ended = pytester.runpytest_inprocess("--reedbackup-impl=mine:Conforming", "test_theirs.py")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(
        [
            "mine:Conforming under contract ticket: undecided *",
            "  not checked: restore/atomic: needs strace: none",
        ]
    )


def test_a_fault_in_a_fixture_is_an_error_too(pytester: pytest.Pytester, mine: None) -> None:
    pytester.makepyfile(
        test_theirs=CASES
        + """
@pytest.fixture
def broken():
    raise RuntimeError("no database today")

@case("ticket/list/order/broken", "A promise.")
def test_broken(reedbackup, broken): pass
"""
    )
    ended = pytester.runpytest_inprocess("--reedbackup-impl=mine:Conforming", "test_theirs.py")
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(
        [
            "*RuntimeError: no database today",
            "mine:Conforming under contract ticket: undecided *"
            " 1 kept, 0 broken, 1 errors, 0 skipped",
        ]
    )
