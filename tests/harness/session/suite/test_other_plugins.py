"""Whatever surrounds a run, its verdict is true, and everything says the same of it."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pytest
from harness.sources import MINE

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.slow

CHOSEN = (
    "ticket/list/order",
    "ticket/list/order/ties",
    "ticket/list/empty/*",
    "ticket/create/special-file/socket",
    "ticket/bounds/create-10k",
)
CASES = {
    "ticket/list/order",
    "ticket/list/order/ties",
    "ticket/list/empty/empty-backups-folder",
    "ticket/list/empty/no-backups-folder",
    "ticket/list/empty/no-base",
    "ticket/create/special-file/socket",
    "ticket/bounds/create-10k",
}
GOOD, BROKEN = "mine:Conforming", "mine:Reversed"
KEPT, BAD, UNDECIDED = "conforms as far as it was tried", "does not conform", "undecided"

SKIPPED_BY_A_HOOK = """
import pytest
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.skip(reason="not today"))
"""
XFAILED_BY_A_HOOK = """
import pytest
def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.xfail(reason="who cares", strict={strict}, run={run}))
"""
SWALLOWED_BY_A_HOOK = """
import pytest
@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem):
    try:
        return (yield)
    except BaseException:
        return True
"""
RUN_BY_NOBODY = """
import pytest
@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem):
    return True
"""
REPORTED_AS_PASSED = """
import pytest
@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    report.outcome, report.longrepr = "passed", None
    return report
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    report.outcome = "passed"
"""
REPORTED_BY_ANOTHER = """
import pytest
from _pytest.reports import TestReport
@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    for when in ("setup", "call", "teardown"):
        report = TestReport(item.nodeid, item.location, {}, "passed", None, when)
        item.ihook.pytest_runtest_logreport(report=report)
    return True
"""
DESELECTED_BY_A_HOOK = """
def pytest_collection_modifyitems(config, items):
    left_out = [item for item in items if "list" in item.name]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
"""
STATUS_BY_A_HOOK = """
import pytest
@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session):
    session.exitstatus = {status}
    session.testsfailed = {status}
"""


@dataclass(frozen=True)
class Surroundings:
    """What a run is surrounded by, and what is true in it."""

    options: Sequence[str] = ()
    plugin: str = ""
    good: str = KEPT
    broken: str = BAD
    before: Sequence[str] | None = None
    """The options of a run before it, which is remembered."""


BOTH_UNDECIDED = {"good": UNDECIDED, "broken": UNDECIDED}
SURROUNDINGS = {
    "nothing": Surroundings(),
    "rerunfailures": Surroundings(["--reruns=2"]),
    "randomly": Surroundings(["-p", "randomly", "-p", "no:cacheprovider"]),
    "xdist-load": Surroundings(["-n", "2", "--dist=load"]),
    "xdist-worksteal": Surroundings(["-n", "2", "--dist=worksteal"]),
    "xdist-each": Surroundings(["--tx", "2*popen", "--dist=each"]),
    "xdist-rerunfailures": Surroundings(["-n", "2", "--reruns=1"]),
    "timeout": Surroundings(["--timeout=60"]),
    "cov": Surroundings(["--cov=mine", "--cov-fail-under=100"]),
    "socket": Surroundings(["--disable-socket"]),
    "benchmark-only": Surroundings(["--benchmark-only"], **BOTH_UNDECIDED),
    "benchmark-skip": Surroundings(["--benchmark-skip"], good=UNDECIDED),
    "no-benchmark": Surroundings(["-p", "no:benchmark"]),
    "no-cacheprovider": Surroundings(["-p", "no:cacheprovider"]),
    "no-capture": Surroundings(["-p", "no:capture"]),
    "no-skipping": Surroundings(["-p", "no:skipping"]),
    "warnings-are-errors": Surroundings(["-W", "error"]),
    "lf": Surroundings(["--lf"], before=(), good=UNDECIDED),
    "sw": Surroundings(["--sw"], before=()),
    "exitfirst": Surroundings(["-x"]),
    "xdist-exitfirst": Surroundings(["-n", "1", "-x"]),
    "keyword": Surroundings(["-k", "special"], **BOTH_UNDECIDED),
    "setup-only": Surroundings(["--setup-only"], **BOTH_UNDECIDED),
    "runxfail": Surroundings(["--runxfail"], XFAILED_BY_A_HOOK.format(strict=False, run=False)),
    "skip-by-a-hook": Surroundings([], SKIPPED_BY_A_HOOK, **BOTH_UNDECIDED),
    "xfail-by-a-hook": Surroundings([], XFAILED_BY_A_HOOK.format(strict=False, run=True)),
    "strict-xfail": Surroundings([], XFAILED_BY_A_HOOK.format(strict=True, run=True)),
    "xfail-not-run": Surroundings(
        [], XFAILED_BY_A_HOOK.format(strict=False, run=False), **BOTH_UNDECIDED
    ),
    "deselected-by-a-hook": Surroundings([], DESELECTED_BY_A_HOOK, **BOTH_UNDECIDED),
    "swallowed-by-a-hook": Surroundings([], SWALLOWED_BY_A_HOOK),
    "run-by-nobody": Surroundings([], RUN_BY_NOBODY, **BOTH_UNDECIDED),
    "reported-as-passed": Surroundings([], REPORTED_AS_PASSED),
    "reported-by-another": Surroundings([], REPORTED_BY_ANOTHER, **BOTH_UNDECIDED),
    "status-0-by-a-hook": Surroundings([], STATUS_BY_A_HOOK.format(status=0)),
    "status-5-by-a-hook": Surroundings([], STATUS_BY_A_HOOK.format(status=5)),
}


@dataclass(frozen=True)
class Said:
    """What a run's exit status, terminal, JSON and JUnit say."""

    status: int
    lines: Sequence[str]
    report: Any
    suites: Mapping[str, ElementTree.Element]

    def verdict(self, implementation: str) -> str:
        found: str
        (found,) = [
            one["verdict"]
            for one in self.report["implementations"]
            if one["implementation"] == implementation
        ]
        return found

    def outcomes(self, implementation: str) -> dict[str, str]:
        cases = [c for c in self.report["cases"] if c["implementation"] == implementation]
        found = {case["case_id"]: case["outcome"] for case in cases}
        assert len(found) == len(cases), "two outcomes of one case"
        return found


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Said]:
    pytester.makepyfile(mine=MINE)
    # What pytest-xdist tells the worker that runs this test is not meant for these runs.
    for name in [name for name in os.environ if name.startswith("PYTEST_XDIST_")]:
        monkeypatch.delenv(name)

    def say(*options: str, implementations: Sequence[str] = (GOOD, BROKEN)) -> Said:
        chosen = [f"--reedbackup-case={case}" for case in CHOSEN]
        given = [f"--reedbackup-impl={name}" for name in implementations]
        files = ["--reedbackup-report=report.json", "--junitxml=junit.xml"]
        ended = pytester.runpytest_subprocess(*given, *chosen, *files, *options)
        suites = ElementTree.parse(pytester.path / "junit.xml").getroot()
        return Said(
            int(ended.ret),
            ended.outlines,
            json.loads((pytester.path / "report.json").read_text()),
            {suite.attrib["name"]: suite for suite in suites},
        )

    return say


# Each starts two to five processes, and is like one of the others as far as is known.
LIKE_OTHERS = (
    *("xdist-worksteal", "xdist-each", "xdist-rerunfailures", "timeout", "socket", "cov", "sw"),
    *("benchmark-skip", "no-cacheprovider", "no-skipping", "setup-only", "strict-xfail"),
    *("status-5-by-a-hook", "keyword"),
)
LATER = dict.fromkeys(LIKE_OTHERS, pytest.mark.campaign)


@pytest.mark.parametrize("name", [pytest.param(n, marks=LATER.get(n, ())) for n in SURROUNDINGS])
def test_all_say_the_truth_whatever_surrounds_the_run(
    run: Callable[..., Said], pytester: pytest.Pytester, name: str
) -> None:
    surroundings = SURROUNDINGS[name]
    if surroundings.before is not None:
        run(*surroundings.before)
    pytester.makepyfile(around=surroundings.plugin)
    order = () if "randomly" in surroundings.options else ("-p", "no:randomly")
    said = run(*order, *surroundings.options, "-p", "around")
    assert said.verdict(GOOD) == surroundings.good
    assert said.verdict(BROKEN) == surroundings.broken
    for implementation in (GOOD, BROKEN):
        assert said.outcomes(implementation).keys() == CASES
    expect_agreement(said)


def expect_agreement(said: Said) -> None:
    """Exit status, terminal, JSON and JUnit are four ways of saying one thing."""
    expected_status = 0
    for one in said.report["implementations"]:
        name, counts = one["implementation"], Counter(one["counts"])
        assert counts == Counter(said.outcomes(name).values())
        (line,) = [line for line in said.lines if line.startswith(f"{name} under contract ")]
        assert f": {one['verdict']} (" in line
        for word, outcome in (("kept", "pass"), ("broken", "fail"), ("errors", "error")):
            assert f" {counts[outcome]} {word}" in line
        if counts["not checked"]:
            assert f", {counts['not checked']} not checked" in line
        suite = said.suites[f"{name} under contract ticket"]
        expect_junit(suite, said.outcomes(name), one["verdict"])
        is_bad = int(suite.attrib["failures"]) + int(suite.attrib["errors"]) > 0
        assert one["exit_status"] == int(is_bad)
        expected_status = max(expected_status, one["exit_status"])
    assert said.status == expected_status
    assert counted_by_pytest(said.lines[-1]) == Counter(
        case["outcome"] for case in said.report["cases"]
    )


JUNIT = {
    "failure": {"fail"},
    "error": {"error", "not checked"},
    "skipped": {"skip", "diverges", "undecided"},
}


def expect_junit(suite: ElementTree.Element, outcomes: Mapping[str, str], verdict: str) -> None:
    counts = Counter(outcomes.values())
    assert suite.attrib["tests"] == str(len(outcomes))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert suite.attrib[attribute] == str(sum(counts[outcome] for outcome in JUNIT[tag]))
    assert properties(suite)["verdict"] == verdict
    cases = {case.attrib["name"]: case for case in suite.findall("testcase")}
    assert cases.keys() == outcomes.keys()
    for case_id, case in cases.items():
        values = properties(case)
        assert values["case"] == case_id
        assert values["rule"] == "/".join(case_id.split("/")[1:3])
        assert values["outcome"] == outcomes[case_id]
        ended = [child.tag for child in case if child.tag != "properties"]
        assert ended == [tag for tag, alike in JUNIT.items() if outcomes[case_id] in alike]


def properties(element: ElementTree.Element) -> dict[str, str]:
    return {one.attrib["name"]: one.attrib["value"] for one in element.findall("properties/*")}


LAST_LINE = {
    "passed": "pass",
    "failed": "fail",
    "error": "error",
    "errors": "error",
    "skipped": "skip",
    "xfailed": "diverges",
    "undecided": "undecided",
    "not checked": "not checked",
}


def counted_by_pytest(last_line: str) -> Counter[str]:
    """The outcomes that pytest's own last line counts."""
    counted = re.findall(rf"(\d+) ({'|'.join(LAST_LINE)})\b", last_line)
    found: Counter[str] = Counter()
    for number, word in counted:
        found[LAST_LINE[word]] += int(number)
    return found
