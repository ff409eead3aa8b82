"""The page in a real browser: read, filtered, gone through by hand and by keys, on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from harness.reports.html.conftest import DESKTOP, PHONE, OpenPage
from harness.reports.html.strangers import HOSTILE, report_of_stranger
from harness.reports.reports import report_of, sweep_of
from harness.session.outcomes import case_outcome
from playwright.sync_api import Page

from pytest_reedbackup.model.outcome import Outcome
from pytest_reedbackup.model.sweep import FolderDifference
from pytest_reedbackup.reports import json_report

pytestmark = pytest.mark.slow

RUNS = ("failing", "passing", "drift")
CONTRAST = Path(__file__).with_name("contrast.js").read_text()
IS_TOO_WIDE = "document.documentElement.scrollWidth > innerWidth"
OPEN_ALL = "document.querySelectorAll('details').forEach((each) => { each.open = true; })"

Written = Callable[[str], Path]


def visible_cases(page: Page) -> list[str]:
    """The ids of the cases that the filter leaves."""
    return page.locator(".case:not([hidden]) .id").all_text_contents()


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_report_of_a_real_run_loads_without_a_complaint_and_fits(
    written: Written, open_page: OpenPage, complaints: list[str], run: str, size: dict[str, int]
) -> None:
    page = open_page(written(run), size)
    assert page.locator("h1").inner_text() == page.title() != ""
    assert len(visible_cases(page)) == len(
        json_report.read(written(run).with_suffix(".json")).cases
    )
    assert not page.evaluate(IS_TOO_WIDE)
    page.evaluate(OPEN_ALL)
    assert not page.evaluate(IS_TOO_WIDE)
    assert complaints == []


@pytest.mark.parametrize("run", RUNS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_of_aa(
    written: Written, open_page: OpenPage, run: str, scheme: str
) -> None:
    page = open_page(written(run), scheme=scheme)
    page.evaluate(OPEN_ALL)
    assert page.evaluate(CONTRAST) == []
    page.emulate_media(media="print")
    assert page.evaluate(CONTRAST) == []


def test_what_is_wrong_comes_first_with_its_cause_and_opens_its_case(
    written: Written, open_page: OpenPage
) -> None:
    page = open_page(written("failing"))
    assert "OldestFirst" in page.locator("h1").inner_text()
    first = page.locator("#wrong .cause").first
    assert first.get_attribute("open") is not None
    link = first.locator(".ids a").first
    link.click()
    opened = page.locator(f"{link.get_attribute('href')}[open]")
    assert opened.locator(".id").inner_text() == link.inner_text()
    assert opened.locator(".difference").is_visible()


def test_filters_leave_what_was_asked_for_and_say_how_much(
    written: Written, open_page: OpenPage
) -> None:
    page = open_page(written("failing"))
    total = len(visible_cases(page))
    page.select_option("#outcome", "fail")
    broken = visible_cases(page)
    assert 0 < len(broken) < total
    assert page.locator("#count").inner_text() == f"{len(broken)} of {total} cases"
    assert page.locator(".case:not([hidden]) > summary .mark").all_text_contents() == (
        ["BROKEN"] * len(broken)
    )
    page.select_option("#group", "list")
    assert {each.split("/")[1] for each in visible_cases(page)} == {"list"}
    page.select_option("#held", label="python · ticket")
    assert visible_cases(page) == []
    assert page.locator("#cases .none").is_visible()
    page.select_option("#outcome", "")
    page.fill("#words", "EMPTY list/")
    assert {each.split("/")[2] for each in visible_cases(page)} == {"empty"}


def test_a_cell_of_the_matrix_shows_its_cases(written: Written, open_page: OpenPage) -> None:
    page = open_page(written("failing"))
    page.locator("#matrix a.cell:has(.fail)").first.click()
    shown = page.locator(".case:not([hidden])")
    assert {each.split("/")[2] for each in visible_cases(page)} == {"order"}
    assert {shown.nth(at).get_attribute("data-i") for at in range(shown.count())} == {"1"}


def test_the_command_that_repeats_a_case_is_copied(written: Written, open_page: OpenPage) -> None:
    page = open_page(written("failing"))
    command = page.locator("#wrong .command").first
    command.locator("button").click()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == command.locator("code").inner_text()
    assert copied.startswith("pytest --reedbackup-impl=mutants.")
    assert page.locator("#said").inner_text() == "copied"


def test_keys_search_go_through_what_there_is_open_and_close(
    written: Written, open_page: OpenPage
) -> None:
    page = open_page(written("failing"))
    page.keyboard.press("/")
    page.keyboard.type("list/order")
    assert {each.split("/")[2] for each in visible_cases(page)} == {"order"}
    page.keyboard.press("Escape")
    assert page.input_value("#words") == ""
    page.keyboard.press("Escape")
    focused = "document.activeElement.closest('details')?.open"
    page.keyboard.press("j")
    assert page.evaluate(focused) is True
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Escape")
    assert page.evaluate(focused) is False
    page.keyboard.press("Enter")
    assert page.evaluate(focused) is True
    first = page.evaluate("document.activeElement.textContent")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.textContent") != first
    page.keyboard.press("k")
    assert page.evaluate("document.activeElement.textContent") == first


def test_a_point_of_a_sweep_opens_its_trace_and_its_folder(
    written: Written, open_page: OpenPage, complaints: list[str]
) -> None:
    page = open_page(written("failing"))
    sweep = page.locator(".sweep.broken").first
    sweep.scroll_into_view_if_needed()
    broken = sweep.locator("button.broken").first
    broken.click()
    panel = sweep.locator(".point")
    assert (broken.get_attribute("aria-label") or "").startswith(
        panel.locator("h4").first.inner_text()
    )
    assert "System calls around it" in panel.inner_text()
    assert "The folder as found" in panel.inner_text()
    assert panel.locator("p .mark.fail").first.inner_text() == "broken"
    assert "--reedbackup-point=" in panel.locator(".command code").inner_text()
    page.keyboard.press("Escape")
    assert not panel.is_visible()
    page.keyboard.press("Enter")
    assert panel.is_visible()
    assert complaints == []


def test_a_broken_point_shows_what_differs_and_its_folder_path_by_path(
    open_report: Callable[..., Page], complaints: list[str]
) -> None:
    folder = FolderDifference(
        against="the database before the call",
        lines=["- tables/a: file", "+ tables/a: folder", "… and 3 more lines"],
    )
    sweep = sweep_of(3, broken=[2], folder=folder)
    page = open_report(report_of([case_outcome(Outcome.FAIL, sweep=sweep)]), size=PHONE)
    page.locator(".strip button.broken").click()
    panel = page.locator(".point")
    assert panel.locator("ins").all_text_contents() == ["all"]
    assert panel.locator("del").all_text_contents() == ["none"]
    assert "The folder as found, against the database before the call" in panel.inner_text()
    assert panel.locator(".gone").all_text_contents() == ["- tables/a: file"]
    assert panel.locator(".extra").all_text_contents() == ["+ tables/a: folder"]
    assert panel.locator(".lines").inner_text().splitlines() == folder.lines
    assert page.evaluate(CONTRAST) == []
    assert not page.evaluate(IS_TOO_WIDE)
    page.locator(".strip button").first.click()
    assert panel.locator(".mark.pass").all_text_contents() == ["stood"]
    assert panel.locator(".lines").count() == 0
    assert complaints == []


def test_all_that_can_be_reached_has_a_name(written: Written, open_page: OpenPage) -> None:
    page = open_page(written("failing"))
    page.evaluate(OPEN_ALL)
    nameless = """() => [...document.querySelectorAll("a, button, select, input, [tabindex='0']")]
        .filter((each) => !(each.ariaLabel || each.textContent.trim()))
        .map((each) => each.outerHTML)"""
    assert page.evaluate(nameless) == []


def test_paper_shows_what_is_wrong_and_no_buttons(written: Written, open_page: OpenPage) -> None:
    page = open_page(written("failing"))
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = false; })")
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("#wrong .difference").first.is_visible()
    assert not page.locator(".toolbar").is_visible()
    assert page.locator(".copy:visible").count() == 0


@pytest.mark.parametrize("value", HOSTILE, ids=lambda value: ascii(value)[:12])
def test_nothing_that_strangers_write_runs_or_widens_the_page(
    open_report: Callable[..., Page], complaints: list[str], value: str
) -> None:
    page = open_report(report_of_stranger(value), size=PHONE)
    page.evaluate(OPEN_ALL)
    for _ in range(2):  # what is above it may have got its height only now
        page.evaluate("document.querySelector('.strip').scrollIntoView()")
        page.wait_for_timeout(100)
    page.locator(".strip button.broken").click()
    assert not page.evaluate(IS_TOO_WIDE)
    assert complaints == []


def test_thousands_of_points_become_buttons_only_where_they_are_looked_at(
    open_report: Callable[..., Page],
) -> None:
    cases = [
        case_outcome(Outcome.FAIL, f"create/cut/{n}", sweep=sweep_of(2_000, broken=[7]))
        for n in range(10)
    ]
    page = open_report(report_of(cases))
    assert page.locator(".strip button").count() < 10_000
    last = page.locator(".strip").last
    last.scroll_into_view_if_needed()
    last.locator("button.broken").click()
    assert page.locator(".sweep").last.locator(".point h4").first.inner_text() == "fsync#7"
    assert last.locator("button").count() == 2_000


def test_arrow_keys_go_from_point_to_point(open_report: Callable[..., Page]) -> None:
    page = open_report(report_of([case_outcome(Outcome.FAIL, sweep=sweep_of(9, broken=[4]))]))
    page.locator(".strip button.broken").focus()
    for _ in range(2):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    panel = page.locator(".point")
    assert panel.locator("h4").all_text_contents() == ["fsync#5"]
    assert "stood" in panel.inner_text()
    assert page.locator(".strip button[tabindex='0']").count() == 1
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.title") == "fsync#5: stood"
