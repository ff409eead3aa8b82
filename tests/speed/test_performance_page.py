"""The page of figures and its curves: made of one run's JSON, and of nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import msgspec
import pytest

from pytest_reedbackup.bench.curves import CURVES, PANELS, POINTS
from pytest_reedbackup.bench.result import Beside, Machine, Measured, Result
from pytest_reedbackup.bench.shown.page import DRAWING, PAGE, drawing, page, write_page
from pytest_reedbackup.bench.shown.words import amount

SVG = "{http://www.w3.org/2000/svg}"
DOCS = Path(__file__).resolve().parents[2] / "docs"
MACHINE = Machine(2, "ext4", "Linux 6.18", "3.11.7", {"tar": "tar 1.34"}, "2026-11")

ROW = Measured(
    "create/10k/first",
    "create, 10k rows, first",
    "python",
    "s",
    [0.005, 0.006, 0.005],
    [
        Beside("tar", [0.005, 0.006, 0.005], [0.02, 0.018, 0.02], target=5),
        Beside("floor", [0.005, 0.006, 0.005], [0.004, 0.004, 0.005], is_floor=True),
    ],
    steps={"look": [0.001, 0.001, 0.002]},
)
CURVE_ROWS = [
    Measured(point.row.id, point.row.what, "python", "s", [point.size / 10**6]) for point in POINTS
]


def result(*rows: Measured) -> Result:
    return Result(MACHINE, rows, [], 90.0)


def test_the_page_in_docs_is_what_its_figures_make() -> None:
    """`python -m pytest_reedbackup.bench --from docs/performance.json --docs docs` mends it."""
    if not (DOCS / PAGE).exists():
        pytest.skip("no run has been put down yet")
    there = msgspec.json.decode((DOCS / "performance.json").read_bytes(), type=Result)
    assert (DOCS / PAGE).read_text(encoding="utf-8") == page(there)
    there_is = (DOCS / DRAWING).read_text(encoding="utf-8") if (DOCS / DRAWING).exists() else ""
    assert there_is == drawing(there)


def test_the_page_says_each_target_and_what_became_of_it() -> None:
    text = page(result(ROW))
    assert "2 cores, ext4, Linux 6.18, Python 3.11.7, 2026-11; 1.5 minutes" in text
    assert (
        "| create, 10k rows, first | 5.00 ms | tar | 20.0 ms | 4.00 | 2.50 to 4.80 | 5x |"
        " missed |" in text
    )
    assert "| create, 10k rows, first | 5.00 ms | 4.00 ms | look 1.00 ms |" in text


def test_a_target_below_the_floor_is_said_to_be_forbidden() -> None:
    slow = msgspec.structs.replace(
        ROW, beside=[ROW.beside[0], Beside("floor", [0.005], [0.0041], is_floor=True)]
    )
    assert "missed, floor forbids" in page(result(slow))


def test_curves_are_a_line_for_each_job_in_each_panel_with_units_on_both_axes() -> None:
    root = ElementTree.fromstring(drawing(result(ROW, *CURVE_ROWS)))
    lines = root.findall(f".//{SVG}polyline")
    assert len(lines) == len({(point.panel, point.curve) for point in POINTS})
    assert {len(line.attrib["points"].split()) for line in lines} == {4}
    said = [text.text for text in root.findall(f".//{SVG}text")]
    assert {"1k", "10k", "1M", "rows", "files", "1 ms", "1 s", *CURVES} <= set(said)
    assert [f"time by {panel}" for panel in PANELS] == [
        text for text in said if text and text.startswith("time by")
    ]


def test_nothing_in_the_drawing_is_outside_of_it() -> None:
    root = ElementTree.fromstring(drawing(result(*CURVE_ROWS)))
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    assert width == 390
    for line in root.findall(f".//{SVG}polyline"):
        for place in line.attrib["points"].split():
            x, y = map(float, place.split(","))
            assert 0 <= x <= width
            assert 0 <= y <= height


def test_the_drawing_has_colours_for_the_night() -> None:
    style = ElementTree.fromstring(drawing(result(*CURVE_ROWS))).findtext(f"{SVG}style")
    assert style is not None
    assert "prefers-color-scheme:dark" in style


def test_without_curves_there_is_no_drawing(tmp_path: Path) -> None:
    write_page(result(ROW), tmp_path / "docs")
    assert [path.name for path in (tmp_path / "docs").iterdir()] == [PAGE]
    assert DRAWING not in (tmp_path / "docs" / PAGE).read_text()


@pytest.mark.parametrize(
    ("figure", "unit", "words"),
    [
        (0.00123, "s", "1.23 ms"),
        (0.0123, "s", "12.3 ms"),
        (1.234, "s", "1,234 ms"),
        (12.34, "s", "12.3 s"),
        (31.26, "MiB", "31.3 MiB"),
    ],
)
def test_amounts_have_three_digits(figure: float, unit: str, words: str) -> None:
    assert amount(figure, unit) == words
