"""What the documents name is there: files, folders, and links among them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
DOCUMENTS = (
    "README.md",
    "ARCHITECTURE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "docs/porting.md",
    "docs/report.md",
)
ROOTS = ("", "pytest_reedbackup", "reedbase_backup", "tests")
"""What a path in a document may be relative to."""

_PATH = re.compile(r"(?<!\[)`((?:[\w.-]+/)*[\w-]+\.(?:py|md|toml|ini)|(?:[\w-]+/)+)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_of_a_document_leads_somewhere(document: str) -> None:
    path = PROJECT / document
    links = _LINK.findall(path.read_text())
    assert not [link for link in links if not (path.parent / link).exists()]


def test_every_path_in_the_architecture_exists() -> None:
    paths = set(_PATH.findall((PROJECT / "ARCHITECTURE.md").read_text()))
    assert len(paths) > 40
    assert not [path for path in paths if not _is_there(path)]


def test_the_walk_through_the_architecture_names_a_file_at_each_step() -> None:
    text = (PROJECT / "ARCHITECTURE.md").read_text()
    walk = text.partition("## From ")[2].partition("## Where ")[0]
    steps = re.split(r"^\d+\. ", walk, flags=re.MULTILINE)[1:]
    assert len(steps) > 8
    assert all(_PATH.search(step) for step in steps)


def test_the_glossary_has_at_most_twenty_lines() -> None:
    glossary = (PROJECT / "ARCHITECTURE.md").read_text().partition("## Glossary")[2]
    assert 5 < len(re.findall(r"^\| [a-z]", glossary, flags=re.MULTILINE)) <= 20


def _is_there(path: str) -> bool:
    return any((PROJECT / root / path).exists() for root in ROOTS)
