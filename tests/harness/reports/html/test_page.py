"""The page: what strangers have written is shown and never obeyed, and all is in one file."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import pytest
from harness.reports.html.strangers import HOSTILE, report_of_stranger
from harness.reports.reports import report_of, sweep_of
from harness.session.outcomes import case_outcome

from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.model.timing import Pairs, Rounds
from pytest_reedbackup.reports.html.page import page


class Elements(HTMLParser):
    """The elements of a page, and its text outside of scripts and styles."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.scripts: list[str] = []
        self._is_script = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._is_script = tag in ("script", "style")
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        self._is_script = False

    def handle_data(self, data: str) -> None:
        if self._is_script and self.scripts:
            self.scripts[-1] += data
        elif not self._is_script:
            self.text += data


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:12])
def test_what_strangers_write_is_text_wherever_it_stands(value: str) -> None:
    html = page(report_of_stranger(value))
    html.encode()
    elements = Elements(html)
    tags = [tag for tag, _ in elements.tags]
    assert tags.count("script") == 2
    assert "img" not in tags
    assert not [name for _, fields in elements.tags for name in fields if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", html)
    # Python's parser forgives what would end this element, or open a comment, in a browser.
    assert "<" not in elements.scripts[0]
    texts = json.loads(elements.scripts[0])["texts"]
    if value.isprintable() and len(value) < 100:
        assert elements.text.count(value) >= 9
        assert value in texts


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        ("a\x1b[0m", r"a\x1b[0m"),
        ("\u202eb", r"\u202eb"),
        ("c\udc80", r"c\udc80"),
        ("d\te\n", "d\te\n"),
    ],
)
def test_what_cannot_be_seen_has_escapes_in_its_place(value: str, seen: str) -> None:
    html = page(report_of([case_outcome(Outcome.ERROR, detail=value)]))
    assert f'<p class="detail">{seen}</p>' in html


def test_a_text_that_nobody_reads_to_its_end_is_cut_and_that_is_said() -> None:
    html = page(report_of([case_outcome(Outcome.ERROR, detail="x" * 1_000_000)]))
    assert len(html) < 300_000
    assert "… (980,000 more characters: in the JSON report)" in html


def test_the_page_needs_nothing_but_itself_and_runs_no_script_but_its_own() -> None:
    html = page(report_of([case_outcome(Outcome.PASS, sweep=sweep_of(2))]))
    elements = Elements(html)
    for _, fields in elements.tags:
        assert (fields.get("href") or "#").startswith("#")
        assert not fields.keys() & {"src", "srcset", "action", "data", "style"}
    assert "url(" not in html
    (policy,) = [
        fields["content"] or ""
        for tag, fields in elements.tags
        if tag == "meta" and "http-equiv" in fields
    ]
    digest = base64.b64encode(hashlib.sha256(elements.scripts[1].encode()).digest()).decode()
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}'" in policy


def test_a_sweep_of_thousands_of_points_stays_small() -> None:
    cases = [
        case_outcome(
            Outcome.FAIL, f"create/power-cut/{number}", sweep=sweep_of(2_000, broken=range(40))
        )
        for number in range(10)
    ]
    assert len(page(report_of(cases)).encode()) < 3_000_000


def test_one_cause_is_said_once_with_its_count_and_one_command_to_repeat() -> None:
    cases = [
        case_outcome(
            Outcome.ERROR,
            f"restore/pick/{number}",
            detail=f"the adapter ended with status 1 after {number} calls",
            symptom="the adapter ended with status 1",
            repeat=f"pytest --reedbackup-case={number}",
        )
        for number in range(50)
    ]
    html = page(report_of([*cases, case_outcome(Outcome.FAIL, "list/order", expected="1")]))
    wrong = html.partition('<section id="wrong">')[2].partition("</section>")[0]
    assert wrong.count('class="command"') == 2
    assert wrong.index("1 case<") < wrong.index("50 cases<")
    assert "and 47 more" in wrong


def test_bounds_are_drawn_call_by_call_beside_their_limit() -> None:
    pairs = Pairs(pairs=[(105, 100)] * 5 + [(120, 100)] * 5, majority=9, limit=1.1)
    rounds = Rounds(taken_ns=[9_000_000, 12_000_000], limit_ns=100_000_000)
    html = page(
        report_of(
            [
                case_outcome(Outcome.PASS, "bounds/ratio/a", measured="x", timing=pairs),
                case_outcome(Outcome.PASS, "bounds/create-10k", measured="y", timing=rounds),
            ]
        )
    )
    assert html.count('<circle class="over"') == 5
    assert html.count('<circle class="within"') == 5 + 2
    assert "10 pairs; median 112%, between 105% and 120%; 110% allowed" in html
    assert "2 rounds; the fastest 9.0 ms; 100 ms allowed" in html


def test_a_cause_of_several_cases_is_called_by_what_it_breaks_or_by_what_went_wrong() -> None:
    def headings(outcome: Outcome) -> str:
        cases = [
            case_outcome(outcome, f"restore/pick/{n}", symptom="one", detail="tables/ and indices/")
            for n in range(2)
        ]
        html = page(report_of(cases))
        return html.partition("<h2>What is wrong")[2].partition("</summary>")[0]

    broken = " ".join(headings(Outcome.FAIL).split())
    assert '<span class="what">A promise.</span> <span class="held">and others, for one' in broken
    assert '<span class="what">tables/ and indices/</span>' in headings(Outcome.ERROR)
