"""Strips of points: a sign each, in the order of the call, within the width."""

from __future__ import annotations

from pytest_reedbackup.model.sweep import PointOutcome, PointResult, Sweep, whole_sweep
from pytest_reedbackup.reports.strip import evidence, headline, strips

KEPT, BROKEN, MISSED = PointOutcome.KEPT, PointOutcome.BROKEN, PointOutcome.NOT_REACHED


def result(row: str, number: int, outcome: PointOutcome, moment: str = "") -> PointResult:
    point = f"{row}#{number}"
    return PointResult(point=point, path="", outcome=outcome, row=row, number=number, moment=moment)


SWEEP = Sweep(
    rows={"write": 12, "fsync": 2},
    results=[
        result("fsync", 2, KEPT, "at once"),
        result("fsync", 2, BROKEN, "later"),
        *[result("write", number, KEPT) for number in range(10, 0, -1)],
        result("write", 11, MISSED),
        result("fsync", 1, KEPT),
    ],
)


def test_a_strip_has_a_sign_a_point_in_the_order_of_the_call_and_the_worst_moment_counts() -> None:
    assert list(strips(SWEEP, 40)) == [
        "write  11 of 12  ··········-",
        "fsync         2  ·X",
    ]


def test_kinds_of_which_nothing_was_visited_are_named_together() -> None:
    rows = {"read": 30, **SWEEP.rows, "rename": 2}
    *shown, last = strips(Sweep(rows=rows, results=SWEEP.results), 40)
    assert shown == list(strips(SWEEP, 40))
    assert last == "none of read 30, rename 2"


def test_no_line_of_a_strip_is_wider_than_it_may_be() -> None:
    lines = list(strips(SWEEP, 27))
    assert lines[:2] == ["write  11 of 12  ··········", "                 -"]
    assert all(len(line) <= 27 for line in lines)


def test_points_are_counted_once_and_those_not_reached_are_not_visited() -> None:
    assert headline(SWEEP) == "12 of 14 points visited, 1 broken, 1 not reached"


def test_a_whole_sweep_has_the_results_of_all_its_parts() -> None:
    parts = [Sweep(rows=SWEEP.rows, results=SWEEP.results[start::2]) for start in (0, 1)]
    whole = whole_sweep(parts)
    assert whole is not None
    assert list(strips(whole, 40)) == list(strips(SWEEP, 40))
    assert whole_sweep([]) is None


def test_the_evidence_is_the_calls_around_a_point_and_the_folder_as_found() -> None:
    kept = PointResult(point="a", path="", outcome=BROKEN, trace=["one", "two"], kept="there")
    assert list(evidence(kept)) == ["one", "two", "as found: there"]
