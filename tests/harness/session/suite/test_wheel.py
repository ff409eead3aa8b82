"""What is installed: the suite inside the plugin, nothing beside the two packages."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[4]
PARTS = ("adapters", "conformance", "pytest_reedbackup", "reedbase_backup")
CASE = "--reedbackup-case=ticket/list/order"


def _left_out(folder: str, names: list[str]) -> set[str]:
    return {name for name in names if name in ("__pycache__", "target")}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of this project in which a suite has been run."""
    if importlib.util.find_spec("hatchling") is None:
        reason = "hatchling is not installed, and a test fetches nothing"
        assert os.environ.get("REEDBACKUP_REQUIRE_TOOLS") != "1", reason
        pytest.skip(reason)
    copy = tmp_path_factory.mktemp("project")
    for part in PARTS:
        shutil.copytree(PROJECT / part, copy / part, ignore=_left_out)
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(PROJECT / name, copy)
    for folder in ("conformance/ticket", "pytest_reedbackup", "reedbase_backup/last"):
        (copy / folder / "__pycache__").mkdir()
        (copy / folder / "__pycache__" / "left.cpython-311-pytest-9.pyc").write_bytes(b"left")
    dist = copy / "dist"
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    (built,) = dist.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def names(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked as pip does."""
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_has_two_packages_and_nothing_else_to_import(names: list[str]) -> None:
    tops = {name.partition("/")[0] for name in names}
    information = {top for top in tops if top.endswith(".dist-info")}
    assert tops - information == {"pytest_reedbackup", "reedbase_backup"}
    assert len(information) == 1


def test_the_whole_suite_is_inside_the_plugin(names: list[str]) -> None:
    suite = {
        str(path.relative_to(PROJECT / "conformance"))
        for path in (PROJECT / "conformance").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    inside = {
        name.removeprefix("pytest_reedbackup/conformance/")
        for name in names
        if name.startswith("pytest_reedbackup/conformance/")
    }
    assert len(suite) > 5
    assert inside == suite


def test_every_module_is_in_the_wheel(names: list[str]) -> None:
    modules = {
        str(path.relative_to(PROJECT))
        for package in ("pytest_reedbackup", "reedbase_backup")
        for path in (PROJECT / package).rglob("*.py")
    }
    assert modules <= set(names)


def test_what_an_adapter_is_made_of_is_in_the_wheel(names: list[str]) -> None:
    kit = PROJECT / "adapters" / "rust" / "reedbackup-adapter"
    parts = [kit / "Cargo.toml", kit / "rustfmt.toml", *kit.rglob("*.rs")]
    wanted = {f"reedbase_backup/{part.relative_to(PROJECT)}" for part in parts}
    assert len(wanted) > 10
    assert wanted <= set(names)


def test_the_page_about_the_format_is_in_the_wheel(names: list[str]) -> None:
    assert "reedbase_backup/archive/FORMAT.md" in names


def test_both_packages_are_typed(names: list[str]) -> None:
    assert {"pytest_reedbackup/py.typed", "reedbase_backup/py.typed"} <= set(names)


def test_neither_tests_nor_leavings_are_in_the_wheel(names: list[str]) -> None:
    for name in names:
        # The Rust crate of the adapter kit has its own beside it.
        assert "tests/" not in name or name.endswith(".rs")
        assert "__pycache__" not in name
        assert "/target/" not in name


def test_the_plugin_and_the_command_are_entry_points(installed: Path) -> None:
    (information,) = installed.glob("*.dist-info")
    entry_points = (information / "entry_points.txt").read_text()
    assert "[pytest11]\nreedbackup = pytest_reedbackup.plugin" in entry_points
    assert "[console_scripts]\nreedbackup = reedbase_backup.cli.commands:main" in entry_points


def test_what_is_installed_runs_its_own_suite(
    installed: Path, tmp_path: Path, run_pytest: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    """Also where a user has a package `conformance` and a file by a name of the suite's."""
    (tmp_path / "conformance").mkdir()
    (tmp_path / "conformance" / "__init__.py").write_text("raise ImportError('the user\\'s')")
    (tmp_path / "test_ticket_list.py").write_text("def test_theirs(): assert False")
    (tmp_path / "shows_paths.py").write_text(
        "import pytest_reedbackup, reedbase_backup\n"
        "def pytest_report_header():\n"
        "    return [pytest_reedbackup.__file__, reedbase_backup.__file__]\n"
    )
    # With -v: a run of the suite has no header else.
    shown = ("-v", "-p", "shows_paths", CASE)
    ended = run_pytest(tmp_path, "--reedbackup-impl=python", *shown, PYTHONPATH=str(installed))
    assert ended.returncode == pytest.ExitCode.OK, ended.stdout + ended.stderr
    assert f"{installed}/pytest_reedbackup/__init__.py" in ended.stdout
    assert f"{installed}/reedbase_backup/__init__.py" in ended.stdout
    assert " 1 kept, 0 broken, 0 errors, 0 skipped" in ended.stdout
    served = run_pytest(
        tmp_path,
        f"--reedbackup-impl='{sys.executable}' -m reedbase_backup serve",
        CASE,
        PYTHONPATH=str(installed),
    )
    assert served.returncode == pytest.ExitCode.OK, served.stdout + served.stderr
    assert " 1 kept, 0 broken, 0 errors, 0 skipped" in served.stdout
