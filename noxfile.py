"""`nox`: the quick tests on every Python that is supported and here, and the checks.

Interpreters that are missing are skipped; with uv installed, nox fetches them.
"""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def quick(session: nox.Session) -> None:
    """Run the tests that take less than two seconds each."""
    session.install(".[test]")
    session.run("pytest", "-n", "2", "-m", "not slow", *session.posargs)


@nox.session(python="3.11")
def checks(session: nox.Session) -> None:
    """Check style, types and the direction of imports."""
    session.install(".[test]", "nox")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    session.run("lint-imports")
