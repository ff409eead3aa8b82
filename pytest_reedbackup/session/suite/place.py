"""Where the conformance suite is, and which runs are its."""

from __future__ import annotations

from pathlib import Path

import pytest

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
