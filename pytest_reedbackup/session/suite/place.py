"""Where the conformance suite is, and which runs are its."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

from pytest_reedbackup.contracts import RULES

SETTINGS = "suite.ini"
"""The suite's own configuration file, which no other run has."""

_PACKAGE = Path(__file__).parents[2]


def suite_folder() -> Path:
    """Return where the suite is: in the wheel inside this package, in a checkout beside it."""
    shipped = _PACKAGE / "conformance"
    return shipped if shipped.is_dir() else _PACKAGE.parent / "conformance"


def runs_suite(config: pytest.Config) -> bool:
    """Return whether this is a run of the suite, in a worker of pytest-xdist too."""
    return config.inipath == suite_folder() / SETTINGS


def is_of_another_contract(path: Path, contracts: Collection[str]) -> bool:
    """Return whether a file or folder is in the suite's folder of a contract not among these."""
    suite = suite_folder()
    return any(
        path.is_relative_to(suite / contract) for contract in RULES if contract not in contracts
    )
