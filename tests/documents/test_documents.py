"""What the documents name is there: files, folders, and links among them."""

from __future__ import annotations

import re
import tomllib

import pytest
from documents.pages import DOCS, PAGES, PROJECT

from pytest_reedbackup.contracts.last import DEFECTS
from pytest_reedbackup.model.divergences import parse

DOCUMENTS = ("ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", *PAGES)
ROOTS = ("", "pytest_reedbackup", "reedbase_backup", "tests")
"""What a path in a document may be relative to."""

_PATH = re.compile(r"(?<!\[)`((?:[\w.-]+/)*[\w-]+\.(?:py|md|toml|ini)|(?:[\w-]+/)+)`")
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
_ANCHOR = re.compile(r"\]\(([\w./-]*)#([^)]+)\)")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_of_a_document_leads_somewhere(document: str) -> None:
    path = PROJECT / document
    links = _LINK.findall(path.read_text())
    assert not [link for link in links if not (path.parent / link).exists()]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_anchor_of_a_document_is_a_heading_there(document: str) -> None:
    path = PROJECT / document
    for page, anchor in _ANCHOR.findall(path.read_text()):
        target = path.parent / page if page else path
        assert anchor in _anchors(target.read_text()), f"{page}#{anchor}"


def test_the_readme_fits_on_two_screens_and_leads_to_every_page() -> None:
    readme = (PROJECT / "README.md").read_text()
    assert len(readme.splitlines()) <= 120
    for text in (readme, _text("docs/index.md")):
        led_to = {f"docs/{link.removeprefix('docs/')}" for link in _LINK.findall(text)}
        assert set(DOCS) - {"docs/index.md"} <= led_to


def test_no_page_of_docs_leads_out_of_docs() -> None:
    """They are a site of their own, too: what is elsewhere is named."""
    for page in DOCS:
        assert not [link for link in _LINK.findall((PROJECT / page).read_text()) if ".." in link]


@pytest.mark.parametrize("page", DOCS)
def test_every_file_of_the_project_that_a_page_names_is_there(page: str) -> None:
    named = re.findall(
        r"`((?:pytest_reedbackup|reedbase_backup|adapters|tests)/[\w./-]+)`", _text(page)
    )
    assert not [path for path in named if not (PROJECT / path).exists()]


def test_the_pages_name_files_of_the_project() -> None:
    assert sum(_text(page).count("`reedbase_backup/") for page in DOCS) > 3


def test_the_defects_of_the_baseline_are_all_there_in_their_words() -> None:
    rows = re.findall(r"^\| (D\d+) \| (.*) \|$", _text("docs/contracts.md"), re.MULTILINE)
    assert rows == list(DEFECTS.items())


def test_the_example_of_declared_divergences_is_one() -> None:
    example = re.findall(r"^```toml\n(.*?)^```$", _text("docs/options.md"), re.M | re.S)
    declared = parse(tomllib.loads(example[0]), "docs/options.md")
    assert [entry.id for entry in declared.entries] == ["D4"]


def test_every_option_of_a_run_is_explained() -> None:
    there_are = set(re.findall(r'"(--reedbackup-[a-z-]+)"', _text("pytest_reedbackup/plugin.py")))
    explained = re.findall(r"`(--reedbackup-[a-z-]+)=", _text("docs/options.md"))
    assert len(there_are) > 10
    # --junitxml is it for people.
    assert there_are - {"--reedbackup-junit"} == set(explained)


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


def _text(document: str) -> str:
    return (PROJECT / document).read_text()


def _anchors(text: str) -> set[str]:
    """What headings are called in addresses, on GitHub and by MkDocs alike."""
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _is_there(path: str) -> bool:
    return any((PROJECT / root / path).exists() for root in ROOTS)
