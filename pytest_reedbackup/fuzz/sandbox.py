"""Where generated databases live for the time of one example."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.fuzz.machine import scratch_folder
from pytest_reedbackup.fuzz.scenarios import Scenario

BASE = ".reed"


@contextmanager
def built(scenario: Scenario, *copies: str) -> Iterator[list[Path]]:
    """A base for each name of a copy, byte-identical, in folders that go away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="reedbackup-", dir=scratch_folder()))
    try:
        bases = [folder / copy / BASE for copy in copies]
        for base in bases:
            base.parent.mkdir()
        scenario.build(bases[0])
        for base in bases[1:]:
            clone_tree(bases[0], base)
        yield bases
    finally:
        remove_tree(folder)
