"""The names of pytest's own that this package touches: these, here alone.

Tried on pytest 8.3.3 to 9.2. No document promises them, so another version may
have changed them: then a run is a usage error that says so, before it starts.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Mapping
from typing import Any

import pytest
from _pytest import runner

_TRIED = "8.3.3 to 9.2"


def check(config: pytest.Config) -> None:
    """Raise UsageError where this version of pytest lacks what the functions below touch."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    names = {
        "Config.known_args_namespace": hasattr(config, "known_args_namespace"),
        "Config.args_source": hasattr(config, "args_source"),
        "Config.ArgsSource.ARGS": hasattr(pytest.Config, "ArgsSource")
        and hasattr(pytest.Config.ArgsSource, "ARGS"),
        "Function.callspec": "callspec" in inspect.signature(pytest.Function.__init__).parameters,
        "Config._tmp_path_factory": hasattr(config, "_tmp_path_factory"),
        "SetupState.teardown_exact": hasattr(runner.SetupState, "teardown_exact"),
        "runtestprotocol": hasattr(runner, "runtestprotocol"),
        # There is none with -p no:terminal.
        "TerminalReporter.stats": reporter is None or hasattr(reporter, "stats"),
        "TerminalReporter._locationline": reporter is None or hasattr(reporter, "_locationline"),
        "TerminalReporter.write_fspath_result": reporter is None
        or hasattr(reporter, "write_fspath_result"),
        "TerminalReporter._set_main_color": reporter is None
        or hasattr(reporter, "_set_main_color"),
    }
    for name, is_there in names.items():
        if not is_there:
            raise _changed(name)


def options_so_far(config: pytest.Config) -> argparse.Namespace:
    """Return what the command line and the settings say, before any conftest.py is read."""
    try:
        return config.known_args_namespace
    except AttributeError:
        raise _changed("Config.known_args_namespace") from None


def replace_options(config: pytest.Config, options: argparse.Namespace) -> None:
    """Have pytest go on as if the command line and the settings had said `options`."""
    config.known_args_namespace = options


def command_line_names_tests(config: pytest.Config) -> bool:
    """Return whether it is the command line that says which tests run, and not the settings."""
    return config.args_source is pytest.Config.ArgsSource.ARGS


def parameters_of(item: pytest.Item) -> dict[str, Any]:
    """Return the parameters of a test by name; empty for a test without any."""
    specification = getattr(item, "callspec", None)
    return specification.params if specification is not None else {}


def counted_by(reporter: pytest.TerminalReporter) -> dict[str, list[Any]]:
    """Return what the last line counts, by what it calls it; changes to it are heeded."""
    return reporter.stats


def name_tests(
    reporter: pytest.TerminalReporter, groups: Mapping[str, str], names: Mapping[str, str]
) -> None:
    """Have each line of letters be of a group, and a line with -v of a name, both by node id."""
    of_file, of_line = reporter.write_fspath_result, reporter._locationline

    def write_group(nodeid: str, letter: str, **markup: bool) -> None:
        group = groups.get(str(nodeid))
        if group is None:
            of_file(nodeid, letter, **markup)
            return
        if reporter.currentfspath != group:
            if reporter.currentfspath is not None and reporter._show_progress_info:
                reporter._write_progress_information_filling_space()
            reporter.currentfspath = group
            reporter.line("")
            reporter.write(f"{group} ")
        reporter.write(letter, flush=True, **markup)

    def line_of(nodeid: Any, *location: Any) -> str:
        name = names.get(str(nodeid))
        return of_line(nodeid, *location) if name is None else f"{name} "

    vars(reporter).update(write_fspath_result=write_group, _locationline=line_of)


def recolour(reporter: pytest.TerminalReporter) -> None:
    """Give the last line the colour of what it counts by now."""
    reporter._set_main_color()


def temporary_folders(config: pytest.Config) -> pytest.TempPathFactory:
    """Return what makes this run's temporary folders, with the one around them made by now."""
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]
    factory.getbasetemp()
    return factory


def end_capture(config: pytest.Config) -> None:
    """Have pytest capture no output any more, in a process that keeps its own."""
    config.pluginmanager.unregister(name="capturemanager")


def run_unseen(item: pytest.Item, following: pytest.Item | None) -> None:
    """Run a test, of which nothing is reported; `following` keeps what it needs set up."""
    runner.runtestprotocol(item, log=False, nextitem=following)


def logged_in_call(item: pytest.Item) -> list[tuple[str, str]]:
    """Return what was logged while a test's function ran: what logged it, and the text."""
    try:
        return [(name, text) for phase, name, text in item._report_sections if phase == "call"]
    except AttributeError:
        raise _changed("Item._report_sections") from None


def tear_all_down(session: pytest.Session) -> None:
    """Tear down what is set up for tests: one that was interrupted left it so."""
    tear_down(session, None)


def tear_down(session: pytest.Session, following: pytest.Item | None) -> None:
    """Tear down what is set up for tests, but for what the `following` one needs."""
    session._setupstate.teardown_exact(following)


def report_again_for(item: pytest.Item) -> None:
    """Have a worker of pytest-xdist take what is reported next for a test that it ran before."""
    _interactor(item.config).item_index = item.session.items.index(item)


def may_be_reported_again(config: pytest.Config) -> bool:
    """Return whether `report_again_for` has what it touches, while a worker runs a test.

    Tried on pytest-xdist 3.8.
    """
    return hasattr(_interactor(config), "item_index")


def _interactor(config: pytest.Config) -> Any:
    plugins = config.pluginmanager.get_plugins()
    return next((one for one in plugins if type(one).__name__ == "WorkerInteractor"), None)


def _changed(name: str) -> pytest.UsageError:
    return pytest.UsageError(
        f"pytest {pytest.__version__} has no {name}, which pytest-reedbackup needs; install a"
        f" version of pytest that was tried ({_TRIED}), or a newer pytest-reedbackup"
    )
