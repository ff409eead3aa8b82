"""`reedbackup cases` has every case of the suite, from where the suite is installed."""

from __future__ import annotations

import json

import pytest

from pytest_reedbackup.session.planning import suite_cases
from reedbase_backup.cli.commands import main


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[list[str]]:
    assert main(["cases", *arguments]) == 0
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "id\trule\tpromise"
    return [line.split("\t") for line in lines]


def test_every_case_of_the_suite_is_a_line_with_id_rule_and_promise(
    capsys: pytest.CaptureFixture[str],
) -> None:
    lines = shown(capsys)
    assert sorted(lines) == sorted([case.id, case.rule, case.promise] for case in suite_cases())


def test_a_contract_and_a_pattern_choose(capsys: pytest.CaptureFixture[str]) -> None:
    ids = [line[0] for line in shown(capsys, "--contract", "ticket", "restore/pick")]
    assert "ticket/restore/pick" in ids
    assert all(one.startswith("ticket/restore/pick") for one in ids)
    assert all(line[0].startswith("last/") for line in shown(capsys, "last/*/order"))


def test_json_has_the_words_of_the_rule_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", "ticket/list/empty", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert first["rule"] == "list/empty"
    assert "empty list" in first["rule_promises"]


def test_a_pattern_that_no_case_has_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["cases", "no/such"]) == 1
    assert "no case has no/such in its id" in capsys.readouterr().err
