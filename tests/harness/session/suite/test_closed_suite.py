"""Nothing of the user's project reaches the suite: no fixture, no hook, no setting, no path."""

from __future__ import annotations

import inspect
import json
import shutil
from pathlib import Path

import pytest
from harness.fixture_types import RunPytest
from harness.session.suite.projects import AUTOUSE, HOOKS, ORDER, SUITE, make, verdict_of

import pytest_reedbackup
import reedbase_backup
from pytest_reedbackup.session.suite.place import suite_folder

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.slow

OVERRIDES = """
import pytest

@pytest.fixture
def reedbackup():
    return "the project's"

@pytest.fixture(scope="session")
def tmp_path_factory():
    return None
"""

FAILING = "def test_theirs(): assert False"

# What a project may hold, each by itself.
PROJECTS: dict[str, dict[str, str]] = {
    "an autouse fixture": {"conftest.py": AUTOUSE},
    "hooks": {"conftest.py": HOOKS},
    "fixtures under names of ours": {"conftest.py": OVERRIDES},
    "a conftest.py that fails": {"conftest.py": "raise RuntimeError('no')"},
    "a conftest.py of testpaths": {
        "pytest.ini": "[pytest]\ntestpaths = theirs\n",
        "theirs/conftest.py": AUTOUSE,
        "theirs/test_theirs.py": FAILING,
    },
    "a package around": {"__init__.py": "def setup_module(): raise RuntimeError('no')"},
    "a plugin in addopts": {"pytest.ini": "[pytest]\naddopts = -p their_plugin\n"},
    "pyproject.toml": {
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = ['theirs', '-k', 'nothing']\n",
        "theirs/test_theirs.py": FAILING,
    },
    "tox.ini": {"tox.ini": "[pytest]\nusefixtures = theirs\n", "conftest.py": AUTOUSE},
    "a path in addopts": {
        "pytest.ini": "[pytest]\naddopts = theirs\n",
        "theirs/test_theirs.py": "def test_theirs(): pass",
    },
    **{
        setting: {"pytest.ini": f"[pytest]\n{setting}\n", "test_theirs.py": FAILING}
        for setting in (
            "addopts = -k nothing",
            "addopts = -m nothing",
            "addopts = --collect-only",
            "addopts = --setup-only",
            "addopts = --ignore-glob=*",
            "addopts = --deselect=ticket",
            "addopts = --cov=of --no-such=plugin",
            "addopts = --doctest-modules --import-mode=append",
            "addopts = --co --noconftest -p no:cacheprovider",
            "addopts = -W error::UserWarning -c elsewhere.ini",
            "addopts = --assert=plain --override-ini=python_files=nothing",
            "addopts = --strict-markers --strict-config\nno_such_setting = 1",
            "filterwarnings = error",
            "python_functions = check\npython_files = check_*.py",
            "consider_namespace_packages = true\nxfail_strict = true\nstrict = true",
            "usefixtures = no_such_fixture",
            "norecursedirs = *",
            "empty_parameter_set_mark = fail_at_collect\nconsole_output_style = classic",
            "log_level = 5\nlog_cli = true",
        )
    },
}

QUICK = ("an autouse fixture", "a path in addopts", "addopts = -k nothing", "a plugin in addopts")


def holds(ended: pytest.RunResult) -> None:
    assert ended.ret == pytest.ExitCode.OK
    assert ": conforms " in verdict_of(ended)
    assert ": 1 kept, 0 broken, 0 errors" in verdict_of(ended)
    assert "theirs" not in "\n".join(ended.outlines)


@pytest.mark.parametrize(
    "project",
    [
        name if name in QUICK else pytest.param(name, marks=pytest.mark.campaign)
        for name in PROJECTS
    ],
)
def test_the_suite_is_closed_to(pytester: pytest.Pytester, project: str) -> None:
    make(pytester, PROJECTS[project])
    holds(pytester.runpytest_inprocess(*SUITE))


def test_the_suite_is_closed_to_all_of_it_at_once_and_under_xdist(
    pytester: pytest.Pytester,
) -> None:
    make(
        pytester,
        {
            "conftest.py": HOOKS + AUTOUSE,
            "__init__.py": "",
            "theirs/test_theirs.py": FAILING,
            "pytest.ini": "[pytest]\naddopts = theirs -k nothing -p their_plugin --cov=of\n"
            "usefixtures = no_such_fixture\nfilterwarnings = error\npython_functions = check\n"
            "norecursedirs = *\nxfail_strict = true\n",
        },
    )
    pytester._monkeypatch.setenv("PYTEST_ADDOPTS", "-m nothing")
    holds(pytester.runpytest_subprocess(*SUITE, "-n", "1"))


def test_the_suite_is_closed_to_pytest_addopts_of_the_environment(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(pytester, {"theirs/test_theirs.py": "def test_theirs(): pass"})
    monkeypatch.setenv("PYTEST_ADDOPTS", "theirs -k nothing")
    ended = pytester.runpytest_inprocess(*SUITE)
    assert ended.ret == pytest.ExitCode.OK
    assert ": 1 kept, 0 broken" in verdict_of(ended)
    ended.stdout.fnmatch_lines(
        ["reedbackup: the suite has settings of its own; of PYTEST_ADDOPTS*"]
    )


def test_the_suite_is_closed_to_the_project_that_the_virtual_environment_lies_in(
    tmp_path: Path, run_pytest: RunPytest
) -> None:
    """As an installed wheel has it: the suite within the package, that within the project."""
    installed = tmp_path / "project" / ".venv" / "lib" / "site-packages"
    for package in (pytest_reedbackup, reedbase_backup):
        source = Path(inspect.getfile(package)).parent
        kept_out = shutil.ignore_patterns("__pycache__", "adapters")
        shutil.copytree(source, installed / source.name, ignore=kept_out)
    inside = installed / "pytest_reedbackup" / "conformance"
    shutil.copytree(suite_folder(), inside, dirs_exist_ok=True)
    for folder in (tmp_path / "project", installed):
        (folder / "conftest.py").write_text(AUTOUSE)
        (folder / "__init__.py").write_text("def setup_module(): raise RuntimeError('no')")
    (tmp_path / "project" / ".venv" / "pyvenv.cfg").touch()
    for started_in in (tmp_path / "project", tmp_path):
        ended = run_pytest(started_in, "-v", *SUITE, PYTHONPATH=str(installed))
        assert "site-packages/pytest_reedbackup/conformance/suite.ini" in ended.stdout
        assert ": 1 kept, 0 broken, 0 errors" in ended.stdout
        assert ended.returncode == pytest.ExitCode.OK


def test_what_the_settings_say_to_this_plugin_is_heeded(pytester: pytest.Pytester) -> None:
    make(pytester, {"pytest.ini": f"[pytest]\naddopts = {ORDER} --reedbackup-seed 7 -k nothing\n"})
    ended = pytester.runpytest_inprocess("--reedbackup-impl=python", "--reedbackup-report=r.json")
    assert ": 1 kept, 0 broken" in verdict_of(ended)
    header = json.loads((pytester.path / "r.json").read_text())["header"]
    assert header["seed"] == 7
    assert header["arguments"] == ["--reedbackup-impl=python", "--reedbackup-report=r.json"]


def test_an_implementation_is_found_where_the_project_says_modules_are(
    pytester: pytest.Pytester,
) -> None:
    make(
        pytester,
        {
            "pytest.ini": "[pytest]\npythonpath = a&b\n",
            "a&b/found_there.py": "import reedbase_backup as mine\n",
        },
    )
    ended = pytester.runpytest_subprocess("--reedbackup-impl=found_there:mine", ORDER)
    assert "ticket: undecided" in verdict_of(ended) or ": 1 kept" in verdict_of(ended)


def test_paths_on_the_command_line_are_tests_of_the_users_with_all_that_is_theirs(
    pytester: pytest.Pytester,
) -> None:
    make(
        pytester,
        {
            "conftest.py": AUTOUSE.replace("raise RuntimeError", "print"),
            "pytest.ini": "[pytest]\naddopts = -rP\npython_functions = check\n",
            "theirs/test_theirs.py": "def check_theirs(reedbackup): assert reedbackup",
        },
    )
    ended = pytester.runpytest_inprocess("--reedbackup-impl=python", "theirs")
    ended.assert_outcomes(passed=1)
    assert "a fixture of the project's" in ended.outlines
