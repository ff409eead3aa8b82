"""Databases built of a scenario, which are there for the time of one example."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.generate.last.scenarios import Scenario
from pytest_reedbackup.injection.scratch import scratch

BASE = ".reed"


@contextmanager
def temporary_bases(scenario: Scenario, *copies: str) -> Iterator[list[Path]]:
    """Provide a base for each name in `copies`, in a folder of that name; remove them at the end.

    They are byte-identical.
    """
    with scratch() as folder:
        first, *others = (folder / copy for copy in copies)
        first.mkdir()
        scenario.build(first / BASE)
        for other in others:
            # With what symlinks lead to beside the base.
            clone_tree(first, other)
        yield [around / BASE for around in (first, *others)]
