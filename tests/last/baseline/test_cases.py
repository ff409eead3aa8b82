"""The suite for contract `last` holds what it says: rules, defects, divergences, no false alarm."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path

import pytest
from documents.results import check_published
from fixture_types import RunSuite
from last.baseline.undeclared import UNDECLARED_PORT

from pytest_reedbackup.contracts.last import DEFECTS, RULES
from pytest_reedbackup.model.case import Case, declared_by
from pytest_reedbackup.model.outcome import Outcome
from reedbase_backup.last import DIVERGENCES

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[3]
SUITE = PROJECT / "conformance"


def cases_in(path: Path) -> Iterator[Case]:
    specification = importlib.util.spec_from_file_location(path.stem, path)
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    for name, test in vars(module).items():
        if name.startswith("test_"):
            yield from declared_by(test)


CASES = [
    case
    for folder in ("last", "parity")
    for path in sorted((SUITE / folder).rglob("test_*.py"))
    for case in cases_in(path)
]


def test_every_rule_has_a_case_and_every_case_a_rule() -> None:
    assert {case.rule for case in CASES} == set(RULES)
    assert {case.contract for case in CASES} == {"last"}


def test_every_case_has_an_id_of_its_own() -> None:
    ids = [case.id for case in CASES]
    assert len(ids) == len(set(ids)) > 200


def test_every_promise_is_one_line_that_ends() -> None:
    for case in CASES:
        assert "\n" not in case.promise, case.id
        assert case.promise.endswith("."), case.id
        assert "{variant}" not in case.promise, case.id


def test_every_defect_of_the_baseline_has_a_case_and_no_other() -> None:
    assert {case.defect for case in CASES} - {""} == set(DEFECTS)
    assert list(DEFECTS) == list(DIVERGENCES)


def test_the_port_declares_just_the_cases_of_the_defects_it_mends() -> None:
    for divergence in DIVERGENCES.values():
        marked = {case.id for case in CASES if case.defect == divergence.id}
        assert set(divergence.cases) in (set(), marked), divergence.id


@pytest.fixture
def imitated(monkeypatch: pytest.MonkeyPatch) -> str:
    """The imitation of the baseline, for children to find."""
    monkeypatch.setenv("PYTHONPATH", str(PROJECT))
    return "tests.last.baseline.imitation:Baseline"


def test_the_port_conforms_with_just_the_declared_divergences(run_suite: RunSuite) -> None:
    ended, report = run_suite("python-last")
    declared = {case for divergence in DIVERGENCES.values() for case in divergence.cases}
    diverging = {one.case_id for one in report.cases if one.outcome is Outcome.DIVERGES}
    assert ended.returncode == 0, ended.stdout
    assert report.implementations[0].verdict == "conforms with declared divergences"
    unchecked = {one.case_id for one in report.cases if one.outcome is Outcome.SKIP}
    assert diverging == declared - unchecked
    assert {divergence.case for divergence in report.divergences} == declared
    check_published(report)


def test_the_baseline_conforms_with_all_its_defects(run_suite: RunSuite, imitated: str) -> None:
    ended, report = run_suite(imitated)
    assert ended.returncode == 0, ended.stdout
    assert report.implementations[0].verdict == "conforms"
    assert report.divergences == []
    outcomes = {one.case_id: one.outcome for one in report.cases}
    by_defect = {case.id: case.defect for case in CASES if case.defect}
    assert by_defect.keys() <= outcomes.keys()
    assert {outcomes[case_id] for case_id in by_defect} <= {Outcome.PASS, Outcome.SKIP}


def test_a_declared_divergence_that_is_mended_fails_the_run(
    run_suite: RunSuite, imitated: str, tmp_path: Path
) -> None:
    declared = tmp_path / "divergences.toml"
    declared.write_text(
        "[[divergence]]\n"
        f'implementation = "{imitated}"\n'
        'case = "last/list/not-archives/a-folder"\n'
        'reason = "leaves folders out"\nid = "D11"\n'
    )
    options = ["--reedbackup-case=last/list/not-archives/*", f"--reedbackup-divergences={declared}"]
    ended, report = run_suite(imitated, options=options)
    outcomes = {one.case_id: one.outcome for one in report.cases}
    assert ended.returncode == 1
    assert outcomes.pop("last/list/not-archives/a-folder") is Outcome.FAIL
    assert set(outcomes.values()) == {Outcome.PASS}


def test_who_does_the_safe_thing_is_asked_to_declare_it(
    run_suite: RunSuite, tmp_path: Path
) -> None:
    written = tmp_path / "divergences.toml"
    (tmp_path / "undeclared_port.py").write_text(UNDECLARED_PORT)
    case_id = "last/list/not-archives/a-folder"
    options = [f"--reedbackup-case={case_id}", f"--reedbackup-write-divergences={written}"]
    ended, _ = run_suite("undeclared_port:Undeclared", options=options)
    assert ended.returncode == 1
    assert "declares this divergence (--reedbackup-divergences)" in ended.stdout
    assert f'case = "{case_id}"' in written.read_text()
    assert 'id = "D11"' in written.read_text()
