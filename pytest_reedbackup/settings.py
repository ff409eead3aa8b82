"""What the command line and the configuration ask for, checked once."""

from __future__ import annotations

import tempfile
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_reedbackup import divergences
from pytest_reedbackup.divergences import Declared, UnusableDivergences
from pytest_reedbackup.fuzz.shares import divide_into
from pytest_reedbackup.implementations.faults import AdapterFault, Unusable
from pytest_reedbackup.implementations.under_test import ImplementationUnderTest, TimeLimits
from pytest_reedbackup.tapes.file import current_umask
from pytest_reedbackup.tapes.tape import Tape
from reedbase_backup.protocol import Contract, Hello

if TYPE_CHECKING:
    from pytest_reedbackup.drift.rows import SourceDrift


@dataclass(frozen=True)
class Pairing:
    """One implementation to be held against one contract."""

    option: str
    contract: Contract
    hello: Hello
    clock: str
    """How its clock is set."""
    limits: TimeLimits
    clock_is_settable: bool = False
    in_process: bool = False
    recording: Tape | None = field(default=None, repr=False, hash=False, compare=False)
    """What is played back, where it is no implementation that runs."""

    @property
    def translated_from(self) -> Contract | None:
        """The contract that the implementation does claim, where `contract` is not claimed."""
        claimed = self.hello.contracts
        return None if self.contract in claimed else claimed[0]

    def __str__(self) -> str:
        """What it is called in test names."""
        return f"{self.option}-{self.contract}"


@dataclass(frozen=True)
class Settings:
    """Everything that a run is asked to do."""

    pairings: tuple[Pairing, ...]
    baseline: Pairing | None
    case_patterns: tuple[str, ...]
    declared: Declared
    """What the package declares of its own implementations, and the user's entries on top."""
    declared_in: str | None
    """The file that the user's entries were asked from by name."""
    examples: int
    """Generated examples in all, shared by the fuzzing cases."""
    seed: int
    report: Path | None
    divergences_to_write: Path | None
    record: Path | None
    """The file that all calls are recorded in."""
    source: SourceDrift | None
    """What --reedbackup-source has, against what the ticket states of it."""
    paths: tuple[str, ...]
    """The tests of the user's that run; none where the suite runs."""

    @classmethod
    def from_config(cls, config: pytest.Config) -> Settings:
        """Meets every implementation, so that a wrong one is a usage error at once."""
        options = config.option
        limits = TimeLimits(hello=options.reedbackup_hello_timeout, call=options.reedbackup_timeout)
        baseline = options.reedbackup_baseline
        given = config.args_source is pytest.Config.ArgsSource.ARGS
        if options.reedbackup_examples < 1:
            raise pytest.UsageError("--reedbackup-examples: give a number of 1 or more")
        pairings = tuple(
            pairing
            for option in dict.fromkeys(options.reedbackup_impl)
            for pairing in _pairings("--reedbackup-impl", option, limits, options)
        )
        compared = _baseline(baseline, limits) if baseline else None
        _divide_as_recorded([*pairings, *([compared] if compared else [])])
        met = {pairing.hello.name for pairing in (*pairings, compared) if pairing is not None}
        return cls(
            pairings=pairings,
            baseline=compared,
            case_patterns=tuple(options.reedbackup_case),
            declared={**divergences.shipped(met), **_declared(config)},
            declared_in=options.reedbackup_divergences,
            examples=options.reedbackup_examples,
            seed=options.reedbackup_seed,
            report=_path(config, options.reedbackup_report),
            divergences_to_write=_path(config, options.reedbackup_write_divergences),
            record=_record(config, pairings, given),
            source=_source(config, options.reedbackup_source),
            paths=tuple(config.args) if given else (),
        )

    @property
    def runs_suite(self) -> bool:
        """Whether the suite runs, rather than tests of the user's."""
        return not self.paths


def _pairings(name: str, option: str, limits: TimeLimits, options: object) -> list[Pairing]:
    """One a wanted contract, claimed or translated; by default one a claimed contract."""
    met = _meet(name, option, limits)
    wanted: list[Contract] = getattr(options, "reedbackup_contract", [])
    return [replace(met[0], contract=contract) for contract in dict.fromkeys(wanted)] or met


def _baseline(option: str, limits: TimeLimits) -> Pairing:
    """Its first contract: a baseline of `last` is timed against implementations of `ticket` too."""
    return _meet("--reedbackup-baseline", option, limits)[0]


def _meet(name: str, option: str, limits: TimeLimits) -> list[Pairing]:
    """One pairing a contract that the implementation claims."""
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as scratch:
        implementation = ImplementationUnderTest(option, Path(scratch), limits)
        try:
            hello, clock = implementation.hello, implementation.clock
            recording = _playable(implementation.recording)
        except AdapterFault as fault:
            raise pytest.UsageError(f"{name}: {fault}") from fault
        finally:
            implementation.close()
    met = Pairing(
        option=option,
        contract=hello.contracts[0],
        hello=hello,
        clock=clock.way,
        limits=limits,
        clock_is_settable=clock.is_settable,
        in_process=implementation.is_in_process,
        recording=recording,
    )
    return [replace(met, contract=contract) for contract in hello.contracts]


def _playable(recording: Tape | None) -> Tape | None:
    """The recording, where its states can be met here. Raises Unusable."""
    if recording is not None and recording.header.umask != (umask := current_umask()):
        wanted = recording.header.umask
        raise Unusable(
            f"it was recorded under umask {wanted:03o}, and this is {umask:03o}, so that files get"
            f" other modes; run `umask {wanted:03o}` first"
        )
    return recording


def _divide_as_recorded(pairings: list[Pairing]) -> None:
    """Has fuzzing campaigns fall into the parts that they had when they were recorded."""
    recorded = {p.recording.header.shares for p in pairings if p.recording is not None}
    if len(recorded) > 1:
        raise pytest.UsageError(
            "recordings of runs with other numbers of pytest-xdist's workers cannot be played in"
            f" one run ({', '.join(map(str, sorted(recorded)))}); play them one by one"
        )
    divide_into(next(iter(recorded), None))


def _record(config: pytest.Config, pairings: tuple[Pairing, ...], given: bool) -> Path | None:
    """Where to record. Raises UsageError where there is not just one implementation to record."""
    path = _path(config, config.option.reedbackup_record)
    if path is None:
        return None
    if len({pairing.option for pairing in pairings}) != 1:
        raise pytest.UsageError("--reedbackup-record: give exactly one --reedbackup-impl")
    if pairings[0].recording is not None:
        raise pytest.UsageError("--reedbackup-record: a recording cannot be recorded again")
    if given:
        raise pytest.UsageError("--reedbackup-record: it records the suite's cases; give no paths")
    return path


def _declared(config: pytest.Config) -> Declared:
    """The divergences of the option's file, or of [tool.reedbackup]."""
    path = _path(config, config.option.reedbackup_divergences)
    try:
        if path is not None:
            return divergences.read_file(path)
        if config.inipath is not None and config.inipath.name == "pyproject.toml":
            document = tomllib.loads(config.inipath.read_text("utf-8"))
            table = document.get("tool", {}).get("reedbackup", {})
            return divergences.parse(table, f"{config.inipath}, [tool.reedbackup]")
    except UnusableDivergences as error:
        raise pytest.UsageError(f"--reedbackup-divergences: {error}") from error
    return {}


def _source(config: pytest.Config, given: str | None) -> SourceDrift | None:
    if given is None:
        return None
    # Only here is there any need for tree-sitter.
    from pytest_reedbackup.drift.source import UnusableSource, read_source
    from pytest_reedbackup.drift.statements import source_drift

    try:
        return source_drift(given, read_source(config.invocation_params.dir / given))
    except UnusableSource as error:
        raise pytest.UsageError(f"--reedbackup-source: {error}") from error


def _path(config: pytest.Config, given: str | None) -> Path | None:
    return config.invocation_params.dir / given if given else None
