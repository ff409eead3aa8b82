"""One outcome a case, one verdict, and numbers that are those of the cases."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from fixture_types import FindTool
from harness.session.outcomes import case_outcome

from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.junit import JUnitReport
from pytest_reedbackup.session.planning import cases_of, suite_cases

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.slow

ORDER = "--reedbackup-case=ticket/list/order"
REPORT = "--reedbackup-report=report.json"


@pytest.fixture(autouse=True)
def _no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """What pytest-xdist tells the worker that runs these tests is not meant for their runs."""
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        monkeypatch.delenv(name)


def cases_in(folder: Path) -> list[dict[str, object]]:
    cases: list[dict[str, object]] = json.loads((folder / "report.json").read_text())["cases"]
    return cases


HIDING = """
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    for attempt in (1, 2):
        reports = runtestprotocol(item, nextitem=nextitem, log=False)
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""


@pytest.mark.parametrize("how", ["--reruns=3", "-phiding"])
def test_a_case_that_passes_when_run_again_is_broken_and_flaky(
    pytester: pytest.Pytester, mine: None, how: str
) -> None:
    """Also where the plugin that runs it again tells nobody of the first attempt."""
    pytester.makepyfile(hiding=HIDING)
    ended = pytester.runpytest_subprocess("--reedbackup-impl=mine:Shaky", ORDER, REPORT, how)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(
        [
            "mine:Shaky under contract ticket: does not conform * 0 kept, 1 broken, *",
            "BROKEN ticket/list/order *",
            "  flaky    not every one of 2 attempts ended so",
        ]
    )
    assert "1 failed" in ended.outlines[-1]
    assert "passed" not in ended.outlines[-1]
    (case,) = cases_in(pytester.path)
    assert (case["outcome"], case["attempts"], case["flaky"]) == ("fail", 2, True)


@pytest.mark.parametrize("options", [[], ["--lf"]], ids=["all", "last-failed"])
def test_as_many_tests_are_collected_as_there_are_cases(
    pytester: pytest.Pytester, options: list[str]
) -> None:
    implementations = ["--reedbackup-impl=python", "--reedbackup-impl=python-last"]
    # A cache of its own: whatever failed last in another run is in the project's.
    options = [*options, "-o", f"cache_dir={pytester.path}"]
    ended = pytester.runpytest_inprocess("--collect-only", "-q", *implementations, *options)
    assert ended.outlines[-1].startswith(f"{len(suite_cases())} tests collected")


def test_what_is_left_out_by_the_kits_own_option_is_counted_as_deselected(
    pytester: pytest.Pytester,
) -> None:
    ended = pytester.runpytest_inprocess("--reedbackup-impl=python", ORDER)
    ticket = len(cases_of("ticket"))
    assert f"collected {ticket} items / {ticket - 1} deselected / 1 selected" in ended.outlines
    ended.assert_outcomes(passed=1, deselected=ticket - 1)


def test_without_strace_the_rule_that_needs_it_is_named_and_undecided(
    pytester: pytest.Pytester,
    mine: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    tool: FindTool,
) -> None:
    for name in ("tar", "gzip"):
        (tmp_path / name).symlink_to(tool(name))
    monkeypatch.setenv("PATH", str(tmp_path))
    case = "--reedbackup-case=ticket/restore/atomic*"
    options = ["--reedbackup-impl=python", case, "--junitxml=junit.xml"]
    ended = pytester.runpytest_inprocess(*options)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    ended.stdout.fnmatch_lines(
        [
            "python under contract ticket: undecided (0 of * 1 kept, 0 broken, 0 errors, 2 skipped",
            "  not checked: restore/atomic: needs strace: *",
        ]
    )
    (suite,) = ElementTree.parse(pytester.path / "junit.xml").getroot()
    assert (suite.attrib["failures"], suite.attrib["errors"]) == ("0", "1")
    error = suite.find("testcase/error")
    assert error is not None
    assert error.attrib["type"] == "not-checked"


DIVERGENCES = "".join(
    f"""
[[divergence]]
implementation = "mine:Reversed"
case = "ticket/list/order{variant}"
reason = "it likes the old ones"
id = "D99"
"""
    for variant in ("", "/ties")
)


def test_where_all_that_was_chosen_diverges_as_declared_it_conforms_as_far_as_tried(
    pytester: pytest.Pytester, mine: None
) -> None:
    (pytester.path / "declared.toml").write_text(DIVERGENCES)
    options = ["--reedbackup-impl=mine:Reversed", ORDER, f"{ORDER}/ties"]
    ended = pytester.runpytest_inprocess(*options, "--reedbackup-divergences=declared.toml")
    assert ended.ret == pytest.ExitCode.OK
    verdict = "conforms with declared divergences, as far as it was tried (1 of "
    (line,) = [line for line in ended.outlines if " under contract " in line]
    assert verdict in line
    assert "0 kept, 0 broken, 2 diverging as declared" in line
    ended.assert_outcomes(xfailed=2, deselected=ended.parseoutcomes()["deselected"])


def test_a_shared_campaign_is_one_case(pytester: pytest.Pytester, mine: None) -> None:
    """Whose outcome is that of its worst share."""
    options = ["--reedbackup-impl=python", "--reedbackup-case=ticket/restore/pick/fuzz", REPORT]
    ended = pytester.runpytest_subprocess(*options, "--reedbackup-examples=4", "-n", "2")
    assert ended.ret == pytest.ExitCode.OK
    assert [case["outcome"] for case in cases_in(pytester.path)] == ["pass"]
    assert re.search(r"\b1 passed\b", ended.outlines[-1])


def test_a_share_that_is_left_out_leaves_the_campaign_unchecked(
    pytester: pytest.Pytester, mine: None
) -> None:
    options = ["--reedbackup-impl=python", "--reedbackup-case=ticket/restore/pick/fuzz", REPORT]
    ended = pytester.runpytest_subprocess(
        *options, "--reedbackup-examples=4", "-n", "2", "-k", "share-0"
    )
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    (case,) = cases_in(pytester.path)
    assert (case["outcome"], case["detail"]) == ("not checked", "only 1 of its 2 shares ran")


INTERRUPTING = """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item):
    {statement}
"""


@pytest.mark.parametrize(
    ("statement", "status"),
    [
        ("raise KeyboardInterrupt", pytest.ExitCode.INTERRUPTED),
        ("pytest.exit('enough', returncode=0)", pytest.ExitCode.TESTS_FAILED),
        ("item.session.shouldstop = 'enough'", pytest.ExitCode.OK),
        ("item.session.shouldfail = 'enough'", pytest.ExitCode.OK),
    ],
)
def test_who_ends_a_run_by_hand_keeps_the_status_and_no_case_is_lost(
    pytester: pytest.Pytester, mine: None, statement: str, status: pytest.ExitCode
) -> None:
    pytester.makepyfile(interrupting=INTERRUPTING.format(statement=statement))
    options = ["--reedbackup-impl=python", ORDER, REPORT, "-p", "interrupting"]
    ended = pytester.runpytest_subprocess(*options)
    assert ended.ret == status
    (case,) = cases_in(pytester.path)
    assert case["outcome"] == ("pass" if status == pytest.ExitCode.OK else "error")


def test_junit_holds_any_text(tmp_path: Path) -> None:
    """File names and an adapter's words have any characters; XML has not."""
    text = '\x00\x1b[31m\udcff\ufffe <&>" \N{PILE OF POO}'
    found = case_outcome(Outcome.FAIL, detail=text, expected=text, found=text, implementation=text)
    JUnitReport(tmp_path / "junit.xml").finish([Result(text, "ticket", [found])], None)
    (suite,) = ElementTree.parse(tmp_path / "junit.xml").getroot()
    failure = suite.find("testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == '\\x00\\x1b[31m\\xdcff\\xfffe <&>" \N{PILE OF POO}'


def test_junit_tells_broken_promises_errors_and_unchecked_cases_apart(tmp_path: Path) -> None:
    outcomes = [case_outcome(outcome, f"list/rule-{n}") for n, outcome in enumerate(Outcome)]
    report = JUnitReport(tmp_path / "new" / "junit.xml")
    report.finish([Result("python", "ticket", outcomes)], None)
    (suite,) = ElementTree.parse(tmp_path / "new" / "junit.xml").getroot()
    kinds = [(child.tag, child.attrib["type"]) for child in suite.findall("testcase/*[@type]")]
    assert sorted(kinds) == [
        ("error", "error"),
        ("error", "not-checked"),
        ("failure", "broken-promise"),
        ("skipped", "diverges"),
        ("skipped", "skip"),
        ("skipped", "undecided"),
    ]
    counted = [suite.attrib[name] for name in ("tests", "failures", "errors", "skipped")]
    assert counted == ["7", "1", "2", "3"]
