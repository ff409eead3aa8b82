"""Descriptions of databases."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from pytest_reedbackup.databases.spec import NAMED, AwkwardSpec, DatabaseSpec


def test_equal_descriptions_share_a_key() -> None:
    assert DatabaseSpec(tables=2, seed=5).key() == DatabaseSpec(tables=2, seed=5).key()
    assert hash(DatabaseSpec(tables=2)) == hash(DatabaseSpec(tables=2))


@pytest.mark.parametrize(
    "other",
    [
        DatabaseSpec(tables=2),
        DatabaseSpec(tables=("text", "routes", "menu")),
        DatabaseSpec(rows=61),
        DatabaseSpec(versions=2),
        DatabaseSpec(indices=1),
        DatabaseSpec(contents="binary"),
        DatabaseSpec(empty_folders=("tables/text/drafts",)),
        DatabaseSpec(seed=1),
        AwkwardSpec(),
        AwkwardSpec(seed=1),
    ],
    ids=repr,
)
def test_every_field_is_part_of_the_key(other: AwkwardSpec | DatabaseSpec) -> None:
    assert other.key() != DatabaseSpec().key()


def test_named_descriptions_have_keys_of_their_own() -> None:
    assert len({spec.key() for spec in NAMED.values()}) == len(NAMED)


def test_a_key_is_the_same_in_another_process() -> None:
    program = (
        "from pytest_reedbackup.databases.spec import NAMED; "
        "print(*(spec.key() for spec in NAMED.values()))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    ).stdout
    assert printed.split() == [spec.key() for spec in NAMED.values()]


def test_a_key_is_a_file_name() -> None:
    assert all(spec.key().isalnum() for spec in NAMED.values())


def test_rows_are_those_of_the_whole_database() -> None:
    spec = DatabaseSpec(tables=3, rows=20)
    assert [spec.rows_of(table) for table in range(3)] == [7, 7, 6]


def test_tables_without_names_get_names_of_their_own() -> None:
    names = DatabaseSpec(tables=200).table_names
    assert len(set(names)) == 200


@pytest.mark.parametrize(
    ("fields", "culprit"),
    [
        ({"tables": -1}, "tables"),
        ({"tables": ("a", "a")}, "tables"),
        ({"tables": ("a/b",)}, "tables"),
        ({"tables": ("..",)}, "tables"),
        ({"tables": ("",)}, "tables"),
        ({"rows": -1}, "rows"),
        ({"tables": 0, "rows": 1}, "rows"),
        ({"versions": 0}, "versions"),
        ({"indices": -1}, "indices"),
        ({"tables": 0, "rows": 0, "indices": 1}, "indices"),
        ({"contents": "csv"}, "contents"),
        ({"empty_folders": ("../outside",)}, "empty_folders"),
        ({"empty_folders": ("/tmp",)}, "empty_folders"),
        ({"empty_folders": ("",)}, "empty_folders"),
    ],
)
def test_an_impossible_description_names_the_field(fields: dict[str, Any], culprit: str) -> None:
    with pytest.raises(ValueError, match=f"^{culprit}: "):
        DatabaseSpec(**fields)
