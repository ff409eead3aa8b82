"""`nox`: the quick tests on every Python that is supported and here, and the checks.

`nox -s oldest` and `nox -s packages` take longer, and are run before a release.

Interpreters that are missing are skipped; with uv installed, nox fetches them.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import nox

nox.options.default_venv_backend = "uv|virtualenv"
nox.options.error_on_missing_interpreters = False
nox.options.sessions = ["quick", "checks"]

MAIN_JOB = ("-p", "no:cacheprovider", "--reedbackup-impl=python")
ONE_CASE = "--reedbackup-case=ticket/list/order"


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


@nox.session(python="3.11")
def oldest(session: nox.Session) -> None:
    """Run the quick tests and the suite with the oldest versions that are declared."""
    session.install("uv")
    # nox's own temporary folder would be that of the tests, too, and too deep for a socket's name.
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as place:
        pins = f"{place}/oldest.txt"
        lowest = ("--resolution", "lowest-direct", "--extra", "test", "--python-version", "3.11")
        session.run("uv", "pip", "compile", "-q", *lowest, "pyproject.toml", "-o", pins)
        session.install("-r", pins)
        session.install("--no-deps", "-e", ".")
        session.run("pytest", "-n", "2", "-m", "not slow", *session.posargs)
        session.chdir(place)
        session.run("pytest", *MAIN_JOB, "--reedbackup-faults=off")
        session.chdir(Path(__file__).parent)


@nox.session(python="3.11")
@nox.parametrize("package", ["wheel", "sdist"])
def packages(session: nox.Session, package: str) -> None:
    """Build a package, install it alone, and use it in an empty folder."""
    session.install("build")
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as place:
        folder = Path(place)
        session.run("python", "-m", "build", "-q", f"--{package}", "--outdir", str(folder / "dist"))
        (built,) = (folder / "dist").iterdir()
        session.run("python", "-m", "venv", str(folder / "clean"))
        clean = folder / "clean" / "bin"
        session.run(str(clean / "python"), "-m", "pip", "install", "-q", str(built), external=True)
        (folder / "empty" / "db" / "tables").mkdir(parents=True)
        session.chdir(folder / "empty")
        for words in (["--help"], ["create", "db"], ["list", "db"], ["cases", "list/order"]):
            session.run(str(clean / "reedbackup"), *words, external=True)
        session.run(str(clean / "pytest"), *MAIN_JOB, ONE_CASE, external=True)
        session.chdir(Path(__file__).parent)
