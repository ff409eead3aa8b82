"""The summary that GitHub shows beside a job."""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.session.outcomes import case_outcome

from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.model.verdict import results
from pytest_reedbackup.reports import registry
from pytest_reedbackup.reports.words.markdown import summary
from pytest_reedbackup.reports.words.sentence import sentence

pytest_plugins = ["pytester"]


def test_the_summary_has_the_verdict_the_counts_and_what_is_wrong_by_its_cause() -> None:
    alike = [
        case_outcome(Outcome.ERROR, f"restore/pick/{n}", detail="it ended", symptom="it ended")
        for n in range(7)
    ]
    text = summary(results([*alike, case_outcome(Outcome.PASS, "list/order")]))
    assert text.startswith("## Under contract ticket python is undecided: of 8 promises ")
    assert "| implementation | contract | verdict | kept | errors |" in text
    assert "| `python` | ticket | undecided | 1 | 7 |" in text
    assert text.count("- `it ended`") == 1
    assert "and 4 more" in text


def test_the_sentence_calls_a_program_by_its_name_where_that_is_enough() -> None:
    mine, others = (
        case_outcome(Outcome.PASS, implementation=f"/home/{who}/adapter --fast")
        for who in ("me", "other")
    )
    assert sentence(results([mine])).startswith("Under contract ticket adapter --fast conforms")
    both = sentence(results([mine, others]))
    assert "/home/me/adapter --fast and /home/other/adapter --fast" in both


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("a | b", "`a \\| b`"),
        ("`` x", "``` `` x ```"),
        ("two\nlines", "`two lines`"),
        ("\x1b[31m\u202e", "`\\x1b[31m\\u202e`"),
        ("", "` `"),
    ],
)
def test_what_strangers_write_is_shown_as_it_is(value: str, shown: str) -> None:
    text = summary(results([case_outcome(Outcome.FAIL, detail=value, expected="e", found="f")]))
    assert f"- {shown}\n" in text


@pytest.mark.slow
def test_a_run_adds_it_to_the_file_that_the_variable_names(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = pytester.path / "summary.md"
    path.write_text("of another step\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(path))
    pytester.runpytest_inprocess("--reedbackup-impl=python", "--reedbackup-case=ticket/list/order")
    text = path.read_text()
    assert text.startswith("of another step\n## Under contract ticket python conforms")
    assert text.count("##") == 1


def test_a_variable_that_names_nothing_that_can_be_written_is_left_alone(tmp_path: Path) -> None:
    for value in ({}, {"GITHUB_STEP_SUMMARY": ""}, {"GITHUB_STEP_SUMMARY": str(tmp_path / "x")}):
        assert registry.environment_writers(value) == []
