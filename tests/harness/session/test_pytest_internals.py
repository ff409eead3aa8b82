"""Where pytest has changed what this package touches of its own, a run says so and does not start.

A plugin takes away what another version may not have.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from harness.fixture_types import RunPytest

CHANGING = """
import _pytest.runner
import pytest

@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    {change}
"""
# Without Config._tmp_path_factory, which is looked for too, no pytest comes to an end.
CHANGES = {
    "Config.known_args_namespace": "del config.known_args_namespace",
    "Config.args_source": "del config.args_source",
    "Config.ArgsSource.ARGS": "del pytest.Config.ArgsSource",
    "Function.callspec": "pytest.Function.__init__ = lambda self, name, parent: None",
    "SetupState.teardown_exact": "del _pytest.runner.SetupState.teardown_exact",
    "runtestprotocol": "del _pytest.runner.runtestprotocol",
    "TerminalReporter.stats": "del config.pluginmanager.get_plugin('terminalreporter').stats",
    "TerminalReporter._set_main_color": (
        "del type(config.pluginmanager.get_plugin('terminalreporter'))._set_main_color"
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_gone_is_named(tmp_path: Path, run_pytest: RunPytest, name: str) -> None:
    (tmp_path / "changing.py").write_text(CHANGING.format(change=CHANGES[name]))
    (tmp_path / "test_theirs.py").write_text("def test_theirs(reedbackup): pass\n")
    ended = run_pytest(
        tmp_path,
        "--reedbackup-impl=python",
        "test_theirs.py",
        "-p",
        "changing",
        PYTHONPATH=str(tmp_path),
    )
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR, ended.stdout + ended.stderr
    (error,) = [line for line in ended.stderr.splitlines() if line.strip()]
    assert error.startswith(f"ERROR: pytest {pytest.__version__} has no {name}, which pytest-reed")
    assert "install a version of pytest that was tried (8.3.3 to 9.2)" in error
