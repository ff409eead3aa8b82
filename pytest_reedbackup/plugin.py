"""The pytest plugin: options and hooks, nothing else.

It is loaded by every pytest run on a machine where this package is installed,
so it imports what it needs only when it is used.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

pytest_plugins = ("pytest_reedbackup.fixtures",)

NOT_ON_WINDOWS = "pytest-reedbackup needs Linux or macOS; on Windows run it under WSL"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    group = parser.getgroup("reedbackup", "conformance of ReedBase backup implementations")
    group.addoption(
        "--reedbackup-impl",
        action="append",
        default=[],
        metavar="IMPL",
        help="hold this implementation against its contract: python (the reference), python-last"
        " (the port of the baseline), MODULE:OBJECT (Python, in process), replay:FILE (a"
        " recording), or the command line of an adapter, as in './my-adapter --fast' or 'ssh host"
        " my-adapter'; may be given several times. Without paths the conformance suite runs",
    )
    group.addoption(
        "--reedbackup-contract",
        action="append",
        default=[],
        choices=("ticket", "last"),
        help="hold against this contract, also where an implementation claims only the other:"
        " then calls and values are translated, and the summary shows the drift (default: every"
        " contract that an implementation claims)",
    )
    group.addoption(
        "--reedbackup-case",
        action="append",
        default=[],
        metavar="ID",
        help="only the cases with this id or glob pattern, as in ticket/restore/*",
    )
    group.addoption(
        "--reedbackup-timeout",
        type=_seconds,
        default=60.0,
        metavar="SECS",
        help="the longest that one call may take (default: 60)",
    )
    group.addoption(
        "--reedbackup-hello-timeout",
        type=_seconds,
        default=30.0,
        metavar="SECS",
        help="the longest that an adapter may take to start (default: 30)",
    )
    group.addoption(
        "--reedbackup-misfits",
        choices=("stop", "run-on"),
        default="stop",
        help="where an adapter's first replies do not fit the protocol: stop (default) and say all"
        " that is wrong with them, or run on, so that each case says it",
    )
    group.addoption(
        "--reedbackup-baseline",
        metavar="IMPL",
        help="the implementation that last/parity/fuzz compares with, and whose time is the"
        " measure of bounds/ratio",
    )
    group.addoption(
        "--reedbackup-examples",
        type=int,
        default=100,
        metavar="N",
        help="generated examples in all, shared by the fuzzing cases (default: 100)",
    )
    group.addoption(
        "--reedbackup-seed",
        type=int,
        default=0,
        metavar="S",
        help="seed of everything that is generated (default: 0); same seed, same examples",
    )
    group.addoption(
        "--reedbackup-faults",
        choices=("quick", "full", "off"),
        default="quick",
        help="sweeps of faults (power cuts, failing system calls, signals, damage and others):"
        " quick, the default, visits an even sample of their points within 30 s for each"
        " implementation and contract, full visits every point, off leaves them out",
    )
    group.addoption(
        "--reedbackup-point",
        action="append",
        default=[],
        metavar="ID",
        help="of the sweeps only the points with this id, as in 'fsync#3'; may be given several"
        " times, with the --reedbackup-case that has them",
    )
    group.addoption(
        "--reedbackup-disk",
        choices=("ext4", "xfs", "btrfs"),
        default="ext4",
        help="the file system whose power is cut (default: ext4)",
    )
    group.addoption(
        "--reedbackup-divergences",
        metavar="FILE",
        help="TOML file of declared divergences (default: [tool.reedbackup] of pyproject.toml)",
    )
    group.addoption(
        "--reedbackup-write-divergences",
        metavar="FILE",
        help="write a starting file of divergences, one entry for each broken promise",
    )
    group.addoption(
        "--reedbackup-source",
        metavar="DIR",
        help="the Rust source of a backup module, as in last/src/backup: the summary shows the"
        " drift, with what the ticket states of the source code; it changes no verdict",
    )
    group.addoption(
        "--reedbackup-report",
        action="append",
        default=[],
        metavar="PATH",
        help="write everything that came of the run: to PATH.html for people, to PATH.json for"
        " programs; may be given several times",
    )
    # What --junitxml gives, of a run of the suite.
    group.addoption("--reedbackup-junit", metavar="PATH.xml", help=argparse.SUPPRESS)
    group.addoption(
        "--reedbackup-record",
        metavar="FILE",
        help="record every call, answer and change on disk; --reedbackup-impl=replay:FILE plays"
        " them back where the implementation is not at hand",
    )


def _seconds(text: str) -> float:
    """Return a time limit in seconds: a timer takes neither 0 nor infinity."""
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 10**6:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0")
    return seconds


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> Generator[None]:
    """Close a run of the suite to the user's project, before anything of that is loaded."""
    has_options = any(argument.startswith(("--reedbackup-", "@")) for argument in args)
    if has_options:
        from pytest_reedbackup.session.pytest_internals import options_so_far
        from pytest_reedbackup.session.suite.afresh import begin
        from pytest_reedbackup.session.suite.place import runs_suite

        if not options_so_far(early_config).showfixtures and not runs_suite(early_config):
            begin(early_config, parser, args)
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(
    config: pytest.Config,
) -> Generator[None, int | pytest.ExitCode | None, int | pytest.ExitCode | None]:
    """Take over from other plugins before a run, and end it with the verdict's exit status.

    pytest-benchmark is disabled under pytest-xdist, as it does itself, but
    without a warning. Where warnings are errors, that one ends the run; the
    cases of the bounds measure either way.
    """
    if not config.getoption("reedbackup_impl"):
        return (yield)
    from pytest_reedbackup.session.progress.lines import ask_for_less
    from pytest_reedbackup.session.run import Run
    from pytest_reedbackup.session.suite.place import runs_suite

    ask_for_less(config)
    if config.getoption("dist", "no") != "no" or hasattr(config, "workerinput"):
        config.option.benchmark_disable = True
    if runs_suite(config):
        # pytest knows no errors of a call, no case ids, and counts reruns.
        own = config.option.reedbackup_junit
        config.option.reedbackup_junit = own or getattr(config.option, "xmlpath", None)
        config.option.xmlpath = None
    status = yield
    run = Run.of(config)
    return status if run is None or status is None else run.finishing.exit_status(status)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Register the marker, and start a run where an implementation is given.

    `--fixtures` runs nothing: it shows what there is for the user's own tests.
    """
    config.addinivalue_line("markers", "reedbackup_case(case): a case of the conformance suite")
    if config.getoption("reedbackup_impl") and not config.getoption("showfixtures"):
        if sys.platform == "win32":
            raise pytest.UsageError(f"--reedbackup-impl: {NOT_ON_WINDOWS}")
        from pytest_reedbackup.session.run import Run

        Run.start(config)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> None:
    """Give the cases of the suite the fixtures that are only theirs."""
    if "conformance" in file_path.parts:
        from pytest_reedbackup.session.suite.place import suite_folder

        if suite_folder() in file_path.parents:
            from pytest_reedbackup.session.suite_fixtures import cases, sweeps

            for its_fixtures in (cases, sweeps):
                if not parent.config.pluginmanager.is_registered(its_fixtures):
                    parent.config.pluginmanager.register(its_fixtures)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that uses the fixture `reedbackup` for each implementation."""
    if "reedbackup" in metafunc.fixturenames and metafunc.config.getoption("reedbackup_impl"):
        from pytest_reedbackup.session.run import Run

        if run := Run.of(metafunc.config):
            run.parametrize(metafunc)
