"""Mounting for a test."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from reference.faults.mounted.mounting import mounts_of


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[..., None]]:
    """Mounts until the test ends; skips where the machine does not let it."""

    def run(*arguments: object) -> None:
        tried = subprocess.run(
            ["mount", *map(str, arguments)], capture_output=True, text=True, check=False
        )
        if tried.returncode != 0:
            pytest.skip(f"mount does not work here: {tried.stderr.strip()}")

    yield run
    # Wherever a broken restore may have taken them.
    for place in reversed(mounts_of(tmp_path)):
        subprocess.run(["umount", place], check=True)
