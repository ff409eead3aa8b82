"""The pages are a site, too."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from documents.pages import DOCS, PROJECT


def test_every_page_is_in_the_site() -> None:
    nav = yaml.safe_load((PROJECT / "mkdocs.yml").read_text())["nav"]
    assert sorted(f"docs/{page}" for page in nav) == DOCS


@pytest.mark.skipif(
    importlib.util.find_spec("material") is None, reason="pip install '.[docs]' makes the site"
)
def test_the_site_is_made_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path)]
    ended = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    pages = {path.parent.name for path in tmp_path.glob("*/index.html")}
    assert pages >= {path.stem for path in (PROJECT / "docs").glob("*.md")} - {"index"}
