"""How a run of the suite starts, closed to the user's project.

What a project says to pytest is said of the project's tests, not of the suite:
its configuration file, `addopts`, conftest.py files, packages around the suite.
A run with --reedbackup-impl and without paths therefore starts pytest afresh in
this process, with the command line, the suite's own configuration file, and
what the settings say to this plugin.
"""

from __future__ import annotations

import argparse
import copy
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_reedbackup.session import pytest_internals
from pytest_reedbackup.session.places import cache_elsewhere, fit_for_a_cache
from pytest_reedbackup.session.suite.place import SETTINGS, runs_suite, suite_folder

_PREFIX = "reedbackup_"
_ADDOPTS = "PYTEST_ADDOPTS"
IMPLEMENTATION = "--reedbackup-impl"


def arguments_of(config: pytest.Config) -> list[str]:
    """Return the command line as the user gave it."""
    afresh = _begun_as(config)
    return afresh.command_line if afresh else list(map(os.fspath, config.invocation_params.args))


def remarks_of(config: pytest.Config) -> list[str]:
    """Return what is not as the project says, where the suite runs in its place."""
    afresh = _begun_as(config)
    return afresh.pytest_report_header() if afresh else []


def _begun_as(config: pytest.Config) -> Afresh | None:
    """Return what began this run in another's place; None where it is the user's own."""
    plugins = config.pluginmanager.get_plugins()
    return next((plugin for plugin in plugins if isinstance(plugin, Afresh)), None)


@dataclass(frozen=True)
class Arguments:
    """A part of the arguments, taken apart before any conftest.py has added options."""

    options: Mapping[str, Sequence[str]]
    """This plugin's options, each with its values."""
    paths: Sequence[str]
    unknown: Sequence[str]
    """Options that no plugin knows; a value of one is taken for a path."""

    @classmethod
    def parse(
        cls, arguments: Sequence[str], parser: pytest.Parser, known: argparse.Namespace
    ) -> Arguments:
        """Parse `arguments`. `known` is any result of the same parser."""
        # Defaults are set only where there is nothing: what is still None is not in them.
        unset = {name: None for name in vars(known) if name.startswith(_PREFIX)}
        parsed, unknown = parser.parse_known_and_unknown_args(
            arguments, argparse.Namespace(**unset)
        )
        values = {
            f"--{name.replace('_', '-')}": getattr(parsed, name)
            for name in unset
            if getattr(parsed, name) is not None
        }
        return cls(
            options={
                option: [str(each) for each in (value if isinstance(value, list) else [value])]
                for option, value in values.items()
            },
            paths=parsed.file_or_dir,
            unknown=unknown,
        )


def begin(config: pytest.Config, parser: pytest.Parser, arguments: list[str]) -> None:
    """See to it that a run with this plugin's options is what the command line asks for.

    `arguments` are all, those of the settings first; they change where the
    suite is to run. Raise UsageError for options that nothing would heed.
    """
    command_line = list(map(os.fspath, config.invocation_params.args))
    known = pytest_internals.options_so_far(config)
    settings = Arguments.parse(arguments[: len(arguments) - len(command_line)], parser, known)
    line = Arguments.parse(command_line, parser, known)
    if IMPLEMENTATION not in {**settings.options, **line.options}:
        if line.options:
            raise pytest.UsageError(
                f"{', '.join(line.options)}: give {IMPLEMENTATION}=IMPL too, without which nothing"
                " is held against a contract (IMPL is python for the reference)"
            )
        return
    if line.unknown and not any(_exists(path, config) for path in line.paths):
        raise pytest.UsageError(
            f"{IMPLEMENTATION}: no plugin knows {' '.join(line.unknown)}, and the suite reads no"
            " conftest.py that may know it; leave it out, or give paths of tests of your own"
        )
    if not line.paths:
        _close(config, parser, arguments, Afresh.of(config, command_line, settings))


def refuse_tests_from_settings(config: pytest.Config) -> None:
    """Raise UsageError where it is not the command line that names the tests of the user's."""
    if not pytest_internals.command_line_names_tests(config):
        raise pytest.UsageError(
            f"{IMPLEMENTATION}: give paths of tests of your own, or leave out the options that"
            " only a conftest.py knows, and the suite runs"
        )


class Afresh:
    """Start the run of the suite in place of the one that the settings have reached."""

    def __init__(self, command_line: list[str], arguments: list[str], remarks: list[str]) -> None:
        self.command_line = command_line
        self._arguments = arguments
        self._remarks = remarks

    @classmethod
    def of(cls, config: pytest.Config, command_line: list[str], settings: Arguments) -> Afresh:
        """Return the run that `command_line` asks for, with what `settings` say to this plugin.

        Of the project's it has the root folder, where its cache is, and where
        modules are found: an implementation may be one of them.
        """
        folder = suite_folder()
        heeded = {"pythonpath": shlex.join(map(str, config.getini("pythonpath")))}
        remarks = []
        if config.pluginmanager.hasplugin("cacheprovider"):
            cache = _cache_folder(config)
            if not fit_for_a_cache(cache):
                elsewhere = cache_elsewhere()
                remarks.append(f"nothing can be kept in {cache}; what is kept is in {elsewhere}")
                cache = elsewhere
            heeded["cache_dir"] = str(cache)
        arguments = [
            *(
                f"{option}={value}"
                for option, values in settings.options.items()
                for value in values
            ),
            *(argument for argument in command_line if argument != "--"),
            f"--config-file={folder / SETTINGS}",
            f"--rootdir={config.rootpath}",
            *(f"--override-ini={name}={value}" for name, value in heeded.items()),
            "--noconftest",
            f"--confcutdir={folder}",
            # The suite is found by path: nothing of it goes into sys.path.
            "--import-mode=importlib",
            str(folder),
        ]
        unheeded = [str(config.inipath)] if config.inipath else []
        unheeded += [_ADDOPTS] if os.environ.get(_ADDOPTS) else []
        if unheeded:
            remarks.append(
                f"the suite has settings of its own; of {' and '.join(unheeded)} it heeds"
                " --reedbackup options, pythonpath and cache_dir"
            )
        return cls(command_line, arguments, remarks)

    @pytest.hookimpl(tryfirst=True)
    def pytest_cmdline_main(self, config: pytest.Config) -> int | pytest.ExitCode | None:
        """In the run that is not to be: run the other one."""
        if runs_suite(config):
            return None
        config.pluginmanager.unregister(self)
        settings = os.environ.pop(_ADDOPTS, None)
        try:
            return pytest.main(self._arguments, [*(config.invocation_params.plugins or ()), self])
        finally:
            if settings is not None:
                os.environ[_ADDOPTS] = settings

    def pytest_report_header(self) -> list[str]:
        """Say what is not as the project says."""
        return [f"reedbackup: {remark}" for remark in self._remarks]


def _cache_folder(config: pytest.Config) -> Path:
    """Return where the project has pytest's cache."""
    folder: str = config.getini("cache_dir")
    return config.rootpath / Path(os.path.expandvars(folder)).expanduser()


def _close(
    config: pytest.Config, parser: pytest.Parser, arguments: list[str], afresh: Afresh
) -> None:
    """Leave nothing to do to the run that has begun but to start `afresh`.

    Whatever the arguments ask of other plugins, and whatever is in the
    project, is not for this one.
    """
    captures = not config.pluginmanager.is_blocked("capture")
    arguments[:] = ["--noconftest", *["--capture=no"] * captures, str(suite_folder())]
    options = parser.parse_known_args(arguments, copy.copy(config.option))
    pytest_internals.replace_options(config, options)
    config.pluginmanager.register(afresh)


def _exists(path: str, config: pytest.Config) -> bool:
    return (config.invocation_params.dir / path.partition("::")[0]).exists()
