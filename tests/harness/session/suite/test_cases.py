"""The suite as a whole: every rule has a case, every case an id, a promise and a rule."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pytest_reedbackup.contracts import RULES
from pytest_reedbackup.model.case import Case, Comparison, Kind, case, case_of, cases
from pytest_reedbackup.session.planning import suite_cases
from pytest_reedbackup.session.suite.place import suite_folder

# Runs inside the collecting pytest, after everything was chosen.
DUMP = """
import json, os
from pytest_reedbackup.model.case import case_of

def pytest_collection_finish(session):
    found = [(item.nodeid, case_of(item)) for item in session.items]
    with open(os.environ["DUMPED"], "w") as file:
        json.dump([[node, case and case.id, case and case.promise] for node, case in found], file)
"""


@dataclass(frozen=True)
class Collected:
    """A collected test of the suite, under contract `ticket` or `last`."""

    node_id: str
    case: Case | None


@pytest.fixture(scope="module")
def suite(
    tmp_path_factory: pytest.TempPathFactory, run_pytest: Callable[..., object]
) -> list[Collected]:
    """Every test that a run over both contracts and a comparison of the two collect."""
    folder = tmp_path_factory.mktemp("collecting")
    dumped = folder / "dumped.json"
    (folder / "dump.py").write_text(DUMP)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DUMPED", str(dumped))
        options = ("--reedbackup-impl=python", "--reedbackup-impl=python-last")
        run_pytest(folder, "-p", "dump", "--collect-only", "-q", *options)
    return [
        Collected(node_id, Case(case_id, promise) if case_id else None)
        for node_id, case_id, promise in json.loads(dumped.read_text())
    ]


def case_ids(suite: list[Collected]) -> list[str]:
    return [collected.case.id for collected in suite if collected.case]


def test_every_test_of_the_suite_is_a_case(suite: list[Collected]) -> None:
    assert len(suite) > 150
    assert [collected.node_id for collected in suite if collected.case is None] == []


def test_no_id_is_given_twice(suite: list[Collected]) -> None:
    assert [found for found, times in Counter(case_ids(suite)).items() if times > 1] == []


def test_every_id_is_contract_group_rule_and_variants(suite: list[Collected]) -> None:
    shape = re.compile(r"(ticket|last)(/[a-z0-9]+(-[a-z0-9]+)*){2}(/[^/*?\[\]\s]+)*")
    assert [found for found in case_ids(suite) if not shape.fullmatch(found)] == []


def test_every_case_checks_a_rule_of_its_contract(suite: list[Collected]) -> None:
    strays = [
        collected.case.id
        for collected in suite
        if collected.case and collected.case.rule not in RULES[collected.case.contract]
    ]
    assert strays == []


@pytest.mark.parametrize("contract", ["ticket", "last"])
def test_every_rule_has_a_case(suite: list[Collected], contract: str) -> None:
    checked = {
        collected.case.rule
        for collected in suite
        if collected.case and collected.case.contract == contract
    }
    assert set(RULES[contract]) - checked == set()


def test_every_promise_is_one_short_sentence(suite: list[Collected]) -> None:
    promises = {collected.case.id: collected.case.promise for collected in suite if collected.case}
    for case_id, promise in promises.items():
        assert promise.endswith("."), case_id
        assert not re.search(r"\w\. [A-Z]", promise), case_id
        assert "\n" not in promise, case_id
        assert len(promise) <= 110, case_id
        assert "{variant}" not in promise, case_id


def test_no_promise_is_made_twice_in_a_contract(suite: list[Collected]) -> None:
    """Two cases with one promise could not be told apart in a report."""
    promises = Counter(
        (collected.case.contract, collected.case.promise) for collected in suite if collected.case
    )
    assert [promise for promise, times in promises.items() if times > 1] == []


def test_every_file_of_the_suite_names_its_contract() -> None:
    """Two files of one name in two folders would be one module to some import modes."""
    files = sorted(suite_folder().rglob("test_*.py"))
    assert files
    for path in files:
        contract, *_ = path.relative_to(suite_folder()).parts
        assert path.name.startswith(f"test_{contract}_"), path
    names = Counter(path.name for path in files)
    assert max(names.values()) == 1


def test_a_case_knows_its_contract_and_rule() -> None:
    found = Case("ticket/restore/pick/tie", "A promise.")
    assert (found.contract, found.rule) == ("ticket", "restore/pick")


def marks(function: Callable[..., object]) -> list[pytest.Mark]:
    found: list[pytest.Mark] = getattr(function, "pytestmark")  # noqa: B009 - no type has it
    return found


def test_a_test_function_becomes_a_case(request: pytest.FixtureRequest) -> None:
    @case("ticket/list/order", "A promise.")
    def checked() -> None: ...

    assert [mark.args for mark in marks(checked)] == [(Case("ticket/list/order", "A promise."),)]
    assert case_of(request.node) is None


def test_every_case_says_of_itself_what_its_rule_says() -> None:
    """Seeds, clocks, recordings and reports go by the kind, whatever an id is called."""
    kinds = {case.id: (case.kind, case.comparison) for case in suite_cases()}
    fuzzing = {name for name, (kind, _) in kinds.items() if kind is Kind.FUZZING}
    assert fuzzing == {name for name in kinds if name.endswith("/fuzz")}
    bounds = {name for name, (kind, _) in kinds.items() if kind is Kind.BOUND}
    assert bounds == {name for name in kinds if name.startswith("ticket/bounds/")}
    compared = {
        (name.rpartition("/")[0], comparison)
        for name, (_, comparison) in kinds.items()
        if comparison is not Comparison.CONTRACT
    }
    assert compared == {
        ("last/parity", Comparison.BASELINE),
        ("ticket/bounds/ratio", Comparison.BASELINE),
        ("ticket/restore/foreign-archive/interchange", Comparison.OTHERS),
    }


def test_variants_become_cases_with_their_names() -> None:
    @cases("ticket/list/order", "By {variant}.", {"time": 1, "creation": 2})
    def checked(variant: int) -> None: ...

    parameters = marks(checked)[0].args[1]
    found = [(entry.id, entry.values, entry.marks[0].args[0]) for entry in parameters]
    assert found == [
        ("time", (1,), Case("ticket/list/order/time", "By time.")),
        ("creation", (2,), Case("ticket/list/order/creation", "By creation.")),
    ]
