"""A real browser, and reports of real runs: one that fails, one that passes, one with drift."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from fixture_types import FindTool, Once
from playwright.sync_api import Browser, Page, sync_playwright

from pytest_reedbackup.reports.html.page import page as page_of
from pytest_reedbackup.reports.json_report import Report

TESTS = Path(__file__).parents[3]
PHONE = {"width": 390, "height": 844}
DESKTOP = {"width": 1440, "height": 900}

OpenPage = Callable[..., Page]
"""Opens a file in a window of a size and a scheme; `seen` gets whatever the page complains of."""

RUNS = {
    "failing": [
        "--reedbackup-impl=python",
        "--reedbackup-impl=mutants.list.ordering:OldestFirst",
        "--reedbackup-impl=mutants.create.failing_call:LetsErrorsThrough",
        "--reedbackup-case=ticket/list/order*",
        "--reedbackup-case=ticket/list/empty/*",
        "--reedbackup-case=ticket/create/failing-call",
        "--reedbackup-point=write#1 ENOSPC",
        "--reedbackup-point=fsync#1 EIO",
    ],
    "passing": ["--reedbackup-impl=python", "--reedbackup-case=ticket/list/order*"],
    "drift": [
        "--reedbackup-impl=python-last",
        "--reedbackup-contract=ticket",
        "--reedbackup-case=ticket/list/order*",
        "--reedbackup-case=ticket/create/info*",
    ],
}


@pytest.fixture(scope="session")
def written(once: Once) -> Callable[[str], Path]:
    """Returns the HTML report of one of the runs, which is made once."""

    def write(name: str, folder: Path) -> None:
        files = ("report.html", "report.json")
        environment = {n: v for n, v in os.environ.items() if not n.startswith("PYTEST_")}
        subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
                *RUNS[name],
                *(f"--reedbackup-report={file}" for file in files),
            ],
            cwd=folder,
            env=environment | {"PYTHONPATH": str(TESTS)},
            capture_output=True,
            timeout=500,
            check=False,
        )

    return lambda name: once(f"html-{name}", partial(write, name)) / "report.html"


@pytest.fixture(scope="session")
def browser(tool: FindTool) -> Iterator[Browser]:
    """The machine's own chromium, without a window."""
    path = tool("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture
def complaints() -> list[str]:
    """What pages have complained of, or asked for beside their own file."""
    return []


@pytest.fixture
def open_page(browser: Browser, complaints: list[str]) -> Iterator[OpenPage]:
    """Opens files, each in a profile of its own."""
    opened: list[Page] = []

    def open_it(path: Path, size: dict[str, int] = DESKTOP, scheme: str = "light") -> Page:
        context = browser.new_context(
            viewport={"width": size["width"], "height": size["height"]},
            color_scheme="dark" if scheme == "dark" else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        page = context.new_page()
        page.on("console", lambda message: complaints.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("request", lambda request: _expect_own(request.url, path, complaints))
        page.goto(path.as_uri())
        opened.append(page)
        return page

    yield open_it
    for page in opened:
        page.context.close()


@pytest.fixture
def open_report(tmp_path: Path, open_page: OpenPage) -> Callable[..., Page]:
    """Opens the page of a report that nobody has written."""

    def open_it(report: Report, **how: object) -> Page:
        path = tmp_path / "report.html"
        path.write_text(page_of(report), "utf-8")
        return open_page(path, **how)

    return open_it


def _expect_own(url: str, path: Path, complaints: list[str]) -> None:
    if url.partition("#")[0] != path.as_uri():
        complaints.append(f"request: {url}")
