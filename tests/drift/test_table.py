"""From outcomes to rows, and from rows to what is printed."""

from __future__ import annotations

from dataclasses import replace
from itertools import dropwhile
from typing import Any

import pytest

from pytest_reedbackup.drift.rows import Drift, Row, SourceDrift, drift_of
from pytest_reedbackup.model.case import Kind
from pytest_reedbackup.model.failures import Cause
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.target import Target, TimeLimits
from pytest_reedbackup.model.verdict import results
from pytest_reedbackup.reports import drift_table
from reedbase_backup.adapter.protocol import Hello

HELLO = Hello(
    protocol=1, name="l", version="1", language="Rust", contracts=["last"], capabilities=[]
)
LAST_UNDER_TICKET = Target(
    "./last", "ticket", HELLO, "real seconds", TimeLimits(), translation=("seconds become ns",)
)


def case(case_id: str, outcome: Outcome, **fields: Any) -> CaseOutcome:
    contract, rule = case_id.split("/")[0], "/".join(case_id.split("/")[1:3])
    return CaseOutcome(
        case_id=case_id,
        rule=rule,
        promise="It is so.",
        implementation="./last",
        contract=contract,  # type: ignore[arg-type]
        outcome=outcome,
        node_id="test_x.py::test_x",
        repeat="pytest",
        duration_secs=0.1,
        **fields,
    )


def fail(
    case_id: str, expected: str, found: str, cause: Cause = Cause.VALUE, **more: Any
) -> CaseOutcome:
    words = {"detail": "the thing", "expected": expected, "found": found}
    return case(case_id, Outcome.FAIL, cause=cause, **words, **more)


def drifted(*cases: CaseOutcome) -> Drift:
    drift = drift_of(results(cases), [LAST_UNDER_TICKET], None)
    assert drift is not None
    return drift


def row(*cases: CaseOutcome) -> Row:
    ((found,),) = [part.rows for part in drifted(*cases).implementations]
    return found


def test_a_rule_is_broken_by_one_case_of_many() -> None:
    found = row(
        case("ticket/list/order", Outcome.PASS),
        fail("ticket/list/order/ties", "[2, 1]", "[1, 2]"),
        case("ticket/list/order/by-time", Outcome.SKIP, detail="needs clock"),
    )
    assert (found.outcome, found.cases) == (Outcome.FAIL, "1 of 3")
    assert found.found == "ties: the thing\nexpected [2, 1]\nfound [1, 2]"
    assert found.ticket.startswith("lists the newest first")
    assert found.defects == ("D4",)


def test_the_plainest_case_is_shown() -> None:
    generated = fail("ticket/restore/pick/fuzz", "a", "b", kind=Kind.FUZZING)
    cut_short = fail("ticket/restore/pick", "a value", "error IoError: no", cause=Cause.ERROR)
    plain = fail("ticket/restore/pick/tie", "1", "2")
    assert row(generated, cut_short, plain).found.startswith("tie: ")
    assert row(generated, cut_short).found.startswith("fuzz: the thing\nexpected a\n")
    assert row(cut_short).found.startswith("the thing\nexpected a value")
    # A field that the other contract lacks is just what drifted.
    lacking = fail("ticket/restore/pick", "a value", "(not said)", cause=Cause.MISSING_FIELD)
    assert row(generated, cut_short, lacking).found.endswith("expected a value\nfound (not said)")


def test_what_only_the_random_failure_of_tar_broke_is_said_to_be_so() -> None:
    struck = fail("ticket/list/order", "a value", "whatever it said", cause=Cause.TAR_FAILURE)
    assert row(struck).found.endswith("another run may find the rule kept)")
    assert row(struck, case("ticket/list/order/by-time", Outcome.PASS)).by_chance
    other = fail("ticket/list/order/ties", "[2, 1]", "[1, 2]")
    assert "another run" not in row(struck, other).found
    assert not row(struck, other).by_chance
    assert not row(case("ticket/list/order", Outcome.PASS)).by_chance


def test_rules_broken_by_chance_are_counted_apart() -> None:
    broken = fail("ticket/list/order", "[2, 1]", "[1, 2]")
    struck = fail("ticket/create/info", "a value", "it failed", cause=Cause.TAR_FAILURE)
    kept = case("ticket/list/empty", Outcome.PASS)
    text = drift_table.render(drifted(broken, struck, kept), width=160, has_colour=False)
    counts = "of 3 rules 1 kept, 2 broken (1 of them by D1 alone, at random)"
    assert counts in text
    text = drift_table.render(drifted(broken, kept), width=160, has_colour=False)
    assert "of 2 rules 1 kept, 1 broken\n" in text


def test_long_texts_are_shown_from_where_they_differ() -> None:
    shared = "".join(f"'{number}', " for number in range(100))
    _, expected, found = row(
        fail("ticket/list/order", f"[{shared}7]", f"[{shared}8, 9]")
    ).found.split("\n")
    assert expected == "expected …, '97', '98', '99', 7]"
    assert found == "found …, '97', '98', '99', 8, 9]"


def test_many_lines_are_counted_and_long_ones_cut() -> None:
    found = row(fail("ticket/list/order", "x" * 500, "one\ntwo\nthree")).found
    assert found.endswith("found one (and 2 more)")
    assert len(found.split("\n")[1]) < 150


@pytest.mark.parametrize(
    ("outcome", "fields", "evidence"),
    [
        (Outcome.SKIP, {"detail": "needs clock: no"}, "needs clock: no"),
        (Outcome.UNDECIDED, {"detail": "too noisy"}, "too noisy"),
        (Outcome.ERROR, {"detail": "it crashed\nat 0"}, "it crashed (and 1 more)"),
        (Outcome.DIVERGES, {"detail": "at", "divergence": "D4: overwrites"}, "D4: overwrites"),
        (
            Outcome.PASS,
            {"measured": "12 ms, the fastest (of 7)", "yardstick": "a slow machine"},
            "12 ms, the fastest (of 7)",
        ),
        (Outcome.PASS, {}, ""),
    ],
)
def test_every_outcome_has_its_evidence(
    outcome: Outcome, fields: dict[str, str], evidence: str
) -> None:
    found = row(case("ticket/bounds/create-10k", outcome, **fields))
    assert (found.outcome, found.cases, found.found) == (outcome, "1 of 1", evidence)


def test_rules_stand_in_the_order_of_the_contract() -> None:
    ids = ("ticket/surface/types", "ticket/restore/pick", "ticket/own/rule", "ticket/create/info")
    (part,) = drifted(*(case(case_id, Outcome.PASS) for case_id in ids)).implementations
    rules = [found.subject for found in part.rows]
    assert rules == ["create/info", "restore/pick", "surface/types", "own/rule"]
    assert part.rows[-1].baseline == "is not described"


def test_rules_of_contract_last_stand_in_its_order_whatever_came_first() -> None:
    ids = ("last/log/order", "last/list/names", "last/list/order", "last/create/info")
    found = results(case(case_id, Outcome.PASS) for case_id in ids)
    shown = drift_of(found, [replace(LAST_UNDER_TICKET, contract="last")], SourceDrift("src", []))
    assert shown is not None
    rules = [row.subject for row in shown.implementations[0].rows]
    assert rules == ["create/info", "list/order", "list/names", "log/order"]


LONG_RULE = "a-rule-of-a-longer-name-than-the-column"
LONG = "a_name_that_has_no_place_to_be_broken_at_" * 2


@pytest.fixture
def drift() -> Drift:
    implementations = drifted(
        case("ticket/create/failure-leaves-nothing", Outcome.PASS),
        fail("ticket/restore/pick", "the first", LONG),
        case("ticket/bounds/ratio", Outcome.SKIP, detail="needs a baseline"),
        case(f"ticket/own/{LONG_RULE}", Outcome.PASS),
    ).implementations
    statement = Row(
        subject="types.rs",
        ticket="66 lines",
        place="Files",
        baseline="66 lines",
        source="BASELINE.md",
        outcome=Outcome.FAIL,
        found="54 lines",
    )
    return Drift(implementations, SourceDrift("last/src/backup", [statement]))


@pytest.mark.parametrize("width", [80, 100, 160])
def test_the_table_fits_the_terminal_and_loses_nothing(drift: Drift, width: int) -> None:
    lines = drift_table.render(drift, width=width, has_colour=False).splitlines()
    assert max(map(len, lines)) <= width
    assert lines[0].startswith("./last under contract ticket, translated from last: of 4 rules")
    text = "\n".join(line.rstrip() for line in lines)
    for word in ("failure-leaves-nothing", "kept (1 of 1)", "BROKEN (1 of 1)", "skipped (1 of 1)"):
        assert word in text
    assert "create_backup" in text
    assert "DIFFERS" in text
    # Names and evidence are folded, not cut.
    table = list(dropwhile(lambda line: "───" not in line, lines))
    second, last = (
        next(line.index(heading) for line in table if heading in line)
        for heading in ("the ticket", "./last does")
    )
    assert LONG_RULE in "".join(line[:second].strip() for line in table)
    assert LONG in "".join(line[last:].strip() for line in table)


def test_colours_are_for_terminals_only(drift: Drift) -> None:
    assert "\x1b" not in drift_table.render(drift, width=100, has_colour=False)
    coloured = drift_table.render(drift, width=100, has_colour=True)
    assert "\x1b[1;31mBROKEN" in coloured
    assert "\x1b[32mkept" in coloured
