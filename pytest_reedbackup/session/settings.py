"""What the command line and the configuration ask for, checked once."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_reedbackup.drift.rows import SourceDrift
from pytest_reedbackup.injection.power.disks import FileSystem
from pytest_reedbackup.model import divergences
from pytest_reedbackup.model.case import Case
from pytest_reedbackup.model.divergences import Declared, UnusableDivergences
from pytest_reedbackup.model.sweep import Faults
from pytest_reedbackup.model.target import Target, TimeLimits, find_target
from pytest_reedbackup.recording.format import Recording
from pytest_reedbackup.reports import registry
from pytest_reedbackup.session.choice import Choice
from pytest_reedbackup.session.connecting import connect, recordings_of, shares_of
from pytest_reedbackup.session.places import files_to_write, place, places, refuse_one_file_for_two
from pytest_reedbackup.session.suite.afresh import refuse_tests_from_settings
from pytest_reedbackup.session.suite.place import runs_suite
from reedbase_backup.adapter.protocol import Contract

_DIVERGENCES = "--reedbackup-divergences"
_RECORD = "--reedbackup-record"


@dataclass(frozen=True)
class Settings:
    """Everything that a run is asked to do."""

    targets: tuple[Target, ...]
    baseline: Target | None
    recordings: Mapping[str, Recording]
    """What is played back, by the option that names it."""
    choice: Choice
    """Which cases are to run."""
    faults: Faults
    """How much of the sweeps is made."""
    points: tuple[str, ...]
    """The points of the sweeps that are visited; empty where it is not given which."""
    file_system: FileSystem
    """What disks are made with whose power is cut."""
    declared: Declared
    """What the package declares of its own implementations, and the user's entries on top."""
    declared_in: str | None
    """The file that the user's entries were asked from by name."""
    examples: int
    """Generated examples in all, shared by the fuzzing cases."""
    seed: int
    shares: int
    """Into how many parts each fuzzing case is divided."""
    workers: int
    """How many processes share the run: those of pytest-xdist, or this one."""
    report_files: tuple[tuple[str, Path], ...]
    """The reports to be written: the option that asks for each, and its file.

    What --junitxml asks for is one of them, where the suite runs.
    """
    record: Path | None
    """The file that all calls are recorded in."""
    source: SourceDrift | None
    """What --reedbackup-source has, against what the ticket states of it."""
    remarks: tuple[str, ...]
    """What the user should know of them before anything runs."""
    paths: tuple[str, ...]
    """The tests of the user's that run; none where the suite runs."""

    @classmethod
    def from_config(cls, config: pytest.Config) -> Settings:
        """Start every implementation once, so that a wrong one is a usage error at once."""
        options = config.option
        limits = TimeLimits(hello=options.reedbackup_hello_timeout, call=options.reedbackup_timeout)
        baseline = options.reedbackup_baseline
        if not runs_suite(config):
            refuse_tests_from_settings(config)
        if options.reedbackup_examples < 1:
            raise pytest.UsageError("--reedbackup-examples: give a number of 1 or more")
        faults = Faults(options.reedbackup_faults)
        if options.reedbackup_point and faults is Faults.OFF:
            raise pytest.UsageError("--reedbackup-point: --reedbackup-faults=off visits no point")
        files = _files(config)
        databases = _databases(config)
        runs_on = options.reedbackup_misfits == "run-on"
        targets = tuple(
            target
            for option in dict.fromkeys(options.reedbackup_impl)
            for target in connect(
                "--reedbackup-impl",
                option,
                limits,
                databases,
                options.reedbackup_contract,
                runs_on=runs_on,
            )
        )
        # Its first contract: a baseline of `last` is timed against others of `ticket` too.
        name = "--reedbackup-baseline"
        compared = (
            connect(name, baseline, limits, databases, runs_on=runs_on)[0] if baseline else None
        )
        recordings = recordings_of([*targets, *([compared] if compared else [])])
        names = {
            name
            for target in (*targets, *([compared] if compared else []))
            for name in target.names
        }
        own = _declared(config, names)
        return cls(
            targets=targets,
            baseline=compared,
            recordings=recordings,
            choice=Choice(tuple(options.reedbackup_case), faults is not Faults.OFF),
            faults=faults,
            points=tuple(options.reedbackup_point),
            file_system=FileSystem(options.reedbackup_disk),
            declared=divergences.shipped(names).under(own),
            declared_in=options.reedbackup_divergences,
            examples=options.reedbackup_examples,
            seed=options.reedbackup_seed,
            shares=shares_of(recordings.values(), _workers(config)),
            workers=_workers(config),
            report_files=tuple(
                (option, path) for option in registry.options() for path in files[option]
            ),
            record=_record(config, targets, next(iter(files[_RECORD]), None)),
            source=_source(config),
            remarks=tuple(_remarks(own, names)),
            paths=() if runs_suite(config) else tuple(config.args),
        )

    def check_divergences(self, case_ids: Collection[str]) -> None:
        """Raise UsageError where a declared divergence fits no case of these, or two one case."""
        try:
            self.declared.check_cases(case_ids, [target.names for target in self.targets])
        except UnusableDivergences as error:
            raise pytest.UsageError(f"{_DIVERGENCES}: {error}") from error

    @property
    def runs_suite(self) -> bool:
        """Return whether the suite runs, rather than tests of the user's."""
        return not self.paths

    @property
    def is_recorded(self) -> bool:
        """Return whether calls are recorded, or played back: a fork's would be lost."""
        return self.record is not None or bool(self.recordings)

    @property
    def sweep_shares(self) -> int:
        """Return into how many parts each sweep is divided: a sample is too small for that."""
        return self.workers if self.faults is Faults.FULL else 1

    def shares_of(self, case: Case) -> int:
        """Return into how many parts a case is divided that is divided at all."""
        return self.sweep_shares if case.is_sweep else self.shares

    def target(self, option: str, contract: Contract) -> Target:
        """Return the target of an implementation, by its option's value, and a contract."""
        return find_target(self.targets, option, contract)


def _files(config: pytest.Config) -> dict[str, list[Path]]:
    """Return the files to be written, by option. Raise UsageError where one cannot be."""
    files = {option: files_to_write(config, option) for option in (*registry.options(), _RECORD)}
    named = {**files, _DIVERGENCES: places(config, _DIVERGENCES)}
    refuse_one_file_for_two((option, path) for option, paths in named.items() for path in paths)
    for option in registry.options():
        for path in files[option]:
            if refusal := registry.refusal(option, path):
                raise pytest.UsageError(refusal)
    return files


def _record(config: pytest.Config, targets: tuple[Target, ...], path: Path | None) -> Path | None:
    """Return where to record. Raise UsageError unless there is one implementation to record."""
    if path is None:
        return None
    if len({target.option for target in targets}) != 1:
        raise pytest.UsageError(f"{_RECORD}: give exactly one --reedbackup-impl")
    if targets[0].recorded is not None:
        raise pytest.UsageError(f"{_RECORD}: a recording cannot be recorded again")
    if not runs_suite(config):
        raise pytest.UsageError(f"{_RECORD}: it records the suite's cases; give no paths")
    return path


def _declared(config: pytest.Config, names: Collection[str]) -> Declared:
    """Return the divergences of the option's file, or of [tool.reedbackup].

    `names`: those that this run's implementations answer to.
    """
    path = place(config, _DIVERGENCES)
    pyproject = config.rootpath / "pyproject.toml"
    try:
        declared = Declared()
        if path is not None:
            declared = divergences.read_file(path)
        elif pyproject.is_file():
            declared = divergences.read_pyproject(pyproject)
        declared.check_implementations(names, asked_for=path is not None)
    except UnusableDivergences as error:
        raise pytest.UsageError(f"{_DIVERGENCES}: {error}") from error
    return declared


def _remarks(declared: Declared, names: Collection[str]) -> Iterator[str]:
    if others := declared.not_in_run(names):
        yield (
            f"reedbackup: {declared.where} declares divergences of {', '.join(others)} too,"
            " not met in this run"
        )


def _source(config: pytest.Config) -> SourceDrift | None:
    folder = place(config, "--reedbackup-source")
    if folder is None:
        return None
    # Only here is there any need for tree-sitter.
    from pytest_reedbackup.drift.source import UnusableSource, read_source
    from pytest_reedbackup.drift.statements import source_drift

    try:
        return source_drift(config.option.reedbackup_source, read_source(folder))
    except UnusableSource as error:
        raise pytest.UsageError(f"--reedbackup-source: {error}") from error


def _workers(config: pytest.Config) -> int:
    """Return how many processes share the run: the workers of pytest-xdist, or this one.

    Its environment variables say nothing: a run that is started by a worker's test has them too.
    """
    count: int = getattr(config, "workerinput", {}).get("workercount", 1)
    return count


def _databases(config: pytest.Config) -> Path:
    """Return the folder below which pytest will make the folders of this run."""
    if config.option.basetemp:
        return Path(config.option.basetemp).absolute()
    return Path(os.environ.get("PYTEST_DEBUG_TEMPROOT") or tempfile.gettempdir()).absolute()
