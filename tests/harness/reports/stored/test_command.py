"""`reedbackup report`: what a run came to, again, as a page, as a badge, and beside another."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import msgspec
import pytest
from harness.reports.reports import report_of, sweep_of
from harness.session.outcomes import case_outcome

from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.sweep import PointOutcome
from pytest_reedbackup.reports import json_report
from reedbase_backup.cli.commands import main

HOSTILE = "\x1b[2J\u202e</text><script>`|"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A report of a run in which all was kept, and one in which something was broken."""
    kept, broken = case_outcome(Outcome.PASS), case_outcome(Outcome.FAIL, found="another backup")
    _write(tmp_path / "kept.json", [kept])
    _write(tmp_path / "broken.json", [broken, case_outcome(Outcome.PASS, "list/order")])
    return tmp_path


def _write(path: Path, cases: Sequence[CaseOutcome]) -> None:
    json_report.write(path, report_of(cases))


def test_show_prints_the_summary_that_the_run_ended_with(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "show", str(folder / "broken.json")]) == 0
    shown = capsys.readouterr().out
    assert "python under contract ticket: does not conform" in shown
    assert "found    another backup" in shown


def test_show_says_once_why_a_rule_was_not_checked_how_fast_the_machine_is_and_what_was_sampled(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, whole = sweep_of(9), sweep_of(1)
    sample = msgspec.structs.replace(cut, results=cut.results[:2])
    slow = "this machine is slow"
    cases = [
        case_outcome(Outcome.PASS, "restore/atomic", sweep=sample),
        case_outcome(Outcome.PASS, "restore/durable", sweep=whole),
        case_outcome(Outcome.SKIP, "create/hot", detail="needs strace", missing_tool=True),
        case_outcome(Outcome.PASS, "bounds/create-10k", measured="4 ms", yardstick=slow),
        case_outcome(Outcome.PASS, "bounds/restore-10k", measured="5 ms", yardstick=slow),
    ]
    _write(tmp_path / "run.json", cases)
    assert main(["report", "show", str(tmp_path / "run.json")]) == 0
    shown = capsys.readouterr().out
    assert "a sample of 3 of 10 points of 2 sweeps" in shown
    assert "restore/durable" not in shown
    for once in ("needs strace", slow):
        assert shown.count(once) == 1


def test_show_calls_a_sweep_no_sample_whose_call_did_not_come_to_all_its_points(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, *others = sweep_of(3).results
    missed = msgspec.structs.replace(first, outcome=PointOutcome.NOT_REACHED)
    sweep = msgspec.structs.replace(sweep_of(3), results=[missed, *others])
    _write(tmp_path / "run.json", [case_outcome(Outcome.PASS, "restore/atomic", sweep=sweep)])
    assert main(["report", "show", str(tmp_path / "run.json")]) == 0
    shown = capsys.readouterr().out
    assert "2 of 3 points visited, 0 broken, 1 not reached" in shown
    assert "sample" not in shown


def test_show_obeys_nothing_that_stands_in_a_report(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hostile = case_outcome(
        Outcome.FAIL, detail=HOSTILE, found=HOSTILE, sweep=sweep_of(2, broken=[1], words=HOSTILE)
    )
    _write(tmp_path / "hostile.json", [hostile])
    assert main(["report", "show", str(tmp_path / "hostile.json")]) == 0
    shown = capsys.readouterr().out
    assert not set("\x1b\u202e") & set(shown)
    assert r"\x1b[2J\u202e" in shown


def test_html_writes_the_page_beside_the_report_or_where_it_is_told(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", "html", str(folder / "broken.json")]) == 0
    assert capsys.readouterr().out == f"wrote {folder / 'broken.html'}\n"
    there = folder / "new" / "page.html"
    assert main(["report", "html", str(folder / "broken.json"), "--out", str(there)]) == 0
    assert there.read_text() == (folder / "broken.html").read_text()
    assert "another backup" in there.read_text()


def test_no_report_is_overwritten_with_what_is_made_of_it(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = folder / "kept.json"
    before = report.read_bytes()
    assert main(["report", "html", str(report), "--out", str(report)]) == 2
    assert report.read_bytes() == before
    assert "hint: give another file to --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "words", "colour"),
    [("kept", "conforms", "#0b6330"), ("broken", "does not conform", "#ab1218")],
)
def test_a_badge_has_the_verdict_in_its_colour(
    folder: Path, name: str, words: str, colour: str
) -> None:
    assert main(["report", "badge", str(folder / f"{name}.json")]) == 0
    badge = ElementTree.parse(folder / f"{name}.svg").getroot()
    assert badge.attrib["aria-label"] == f"reedbackup: {words}"
    fills = [each.get("fill") for each in badge.iter() if each.tag.endswith("rect")]
    assert fills[-1] == colour


def test_diff_ends_with_1_where_something_got_worse_and_only_there(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept, broken = str(folder / "kept.json"), str(folder / "broken.json")
    assert main(["report", "diff", kept, broken]) == 1
    assert "newly broken: 1" in capsys.readouterr().out
    assert main(["report", "diff", kept, broken, "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["is_regression"] is True
    assert [each["case_id"] for each in found["broken"]] == ["ticket/restore/pick"]
    assert main(["report", "diff", kept, kept]) == 0


@pytest.mark.parametrize("content", [None, "", "[]", '{"header": 1}'])
@pytest.mark.parametrize("action", ["show", "html", "badge", "diff"])
def test_what_is_no_report_is_refused_in_two_lines(
    folder: Path, capsys: pytest.CaptureFixture[str], action: str, content: str | None
) -> None:
    path = folder / "other.json"
    if content is not None:
        path.write_text(content)
    others = [str(folder / "kept.json")] if action == "diff" else []
    assert main(["report", action, *others, str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    line, hint = said.err.splitlines()
    assert line.startswith(f"reedbackup: {path} is no whole report")
    assert hint.startswith("hint: give a file that pytest --reedbackup-report=PATH.json")


def test_nothing_of_reports_is_loaded_for_a_list(tmp_path: Path) -> None:
    (tmp_path / ".reed" / "tables").mkdir(parents=True)
    code = (
        "import sys; from reedbase_backup.cli.commands import main; main(sys.argv[1:]);"
        " print([name for name in sys.modules if 'pytest_reedbackup' in name or 'jinja2' in name])"
    )
    listed = [sys.executable, "-c", code, "list", str(tmp_path / ".reed")]
    ended = subprocess.run(listed, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
