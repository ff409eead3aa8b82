"""Projects of users that change how tests run."""

from __future__ import annotations

import pytest

ORDER = "--reedbackup-case=ticket/list/order"

SUITE = ("--reedbackup-impl=python", ORDER)

AUTOUSE = """
import pytest

@pytest.fixture(autouse=True)
def theirs():
    raise RuntimeError("a fixture of the project's")
"""

HOOKS = """
import pytest

def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.skip(reason="not here"))
"""


def make(pytester: pytest.Pytester, files: dict[str, str]) -> None:
    """Write files of a project beside a plugin of its own."""
    for name, content in {"their_plugin.py": HOOKS + AUTOUSE, **files}.items():
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    pytester.syspathinsert()


def verdict_of(ended: pytest.RunResult) -> str:
    """Return the line of the one verdict that a run printed."""
    (line,) = [line for line in ended.outlines if " under contract " in line]
    return line
