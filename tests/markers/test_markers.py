"""The markers that keep the quick run quick."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

CONFTEST = Path(__file__).parents[1] / "conftest.py"

THREE = """
import pytest

def test_quick(): pass

@pytest.mark.slow
def test_slow(): pass

@pytest.mark.campaign
def test_campaign(): pass
"""
INI = """
[pytest]
addopts = --strict-markers -m "not campaign"
markers =
    slow
    campaign
"""


@pytest.fixture
def three(pytester: pytest.Pytester) -> pytest.Pytester:
    """A quick test, a slow one and a campaign, under the hooks of the tests' own conftest.py."""
    # Workers of xdist before 3.7 do not have this process's paths.
    pytester.makeini(f"{INI}pythonpath = {CONFTEST.parent}\n")
    pytester.makepyfile(test_three=THREE)
    # Every duration is over the limit.
    pytester.makeconftest(CONFTEST.read_text(encoding="utf-8") + "\nOVERDUE_S = -1\n")
    return pytester


@pytest.mark.parametrize(
    ("options", "passed"),
    [([], 2), (["-m", "not slow"], 1), (["-m", "campaign"], 1)],
    ids=["all", "quick", "campaigns"],
)
def test_a_campaign_runs_only_where_it_is_asked_for(
    three: pytest.Pytester, options: list[str], passed: int
) -> None:
    ended = three.runpytest_inprocess(*options)
    ended.assert_outcomes(passed=passed, deselected=3 - passed)


@pytest.mark.parametrize("workers", [[], ["-n", "1"]], ids=["alone", "xdist"])
def test_a_long_test_without_the_marker_is_listed(
    three: pytest.Pytester, workers: list[str]
) -> None:
    ended = three.runpytest_inprocess(*workers)
    lines = [line for line in ended.outlines if line.startswith("to be marked slow: ")]
    assert {line.split(" (")[0] for line in lines} == {
        "to be marked slow: test_three.py::test_quick"
    }
    assert ended.ret == pytest.ExitCode.OK
