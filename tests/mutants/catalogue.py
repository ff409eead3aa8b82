"""All mutants, and how the suite is run against them."""

from __future__ import annotations

import importlib
import os
import pkgutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from mutants import adapters, create, restore, variants
from mutants import durable as durable_ones
from mutants import list as listing
from mutants.adapters.adapter import Mutated
from mutants.adapters.chatty import Chatty
from mutants.adapters.greetings import Unusable
from mutants.conforming import Conforming
from mutants.durable.plain import Plain
from pytest_reedbackup.injection.scratch import scratch
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.reports import json_report

PROJECT = Path(__file__).parents[2]

Held = Mapping[str, Sequence[CaseOutcome]]
"""What came of the suite's cases, by implementation, in the suite's order."""


@dataclass(frozen=True)
class Mutant:
    """An implementation with one change, which breaks one rule."""

    option: str
    """What `--reedbackup-impl` takes."""
    mutation: str
    """The change, in a sentence."""
    breaks: str
    """The rule; for an adapter with which no run begins, a part of the reason given."""
    is_slow: bool = False
    """Whether it takes more than a minute to catch it."""
    shown_by: str = ""
    """The only case of its rule that is run against it, where it is not all of them."""
    at: str = ""
    """A pattern of the points that show it, where a sample of a sweep may not come to one."""

    @property
    def name(self) -> str:
        return self.option.removeprefix("mutants.").rpartition(" ")[2]


def mutants() -> Iterator[Mutant]:
    """Yield all mutants of the three functions, in the order of their modules and lines."""
    for package in (create, listing, restore):
        for option, mutant in _classes(package, Conforming):
            words, how = mutant.__doc__ or "", (mutant.is_slow, mutant.shown_by, mutant.at)
            yield Mutant(option, words, mutant.breaks, *how)


def broken_adapters() -> Iterator[Mutant]:
    """Yield the adapters that break the protocol once they are running."""
    for option, adapter in _classes(adapters, Mutated):
        yield Mutant(_command(option), adapter.__doc__ or "", "protocol")


def unusable_adapters() -> Iterator[Mutant]:
    """Yield the adapters that do not even say hello."""
    for option, adapter in _classes(adapters, Unusable):
        yield Mutant(_command(option), adapter.__doc__ or "", adapter.cause)


def conforming() -> list[str]:
    """Return all that must pass everything, as `--reedbackup-impl` takes them."""
    others = [option for option, _ in _classes(variants, Conforming)] + durable()[1:]
    chatty = _command(f"{Chatty.__module__}:{Chatty.__name__}")
    return [f"{Conforming.__module__}:{Conforming.__name__}", *others, chatty]


def durable() -> list[str]:
    """Return those that survive power cuts, kills and failing calls each in its own way."""
    own = [option for option, _ in _classes(durable_ones, Plain) if not option.endswith(":Plain")]
    return [f"{Conforming.__module__}:{Conforming.__name__}", *own]


def _command(option: str) -> str:
    return f"{sys.executable} -m {adapters.__name__} {option.removeprefix(adapters.__name__ + '.')}"


def _classes(package: ModuleType, base: type) -> Iterator[tuple[str, Any]]:
    """Yield the public subclasses of `base` that a package's modules define, by MODULE:NAME."""
    for info in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        module = importlib.import_module(info.name)
        for name, value in vars(module).items():
            is_own = getattr(value, "__module__", "") == info.name and not name.startswith("_")
            if is_own and isinstance(value, type) and issubclass(value, base) and value is not base:
                yield f"{info.name}:{name}", value


def hold(options: Sequence[str], *arguments: str, processes: int = 2) -> Held:
    """Run the suite against every implementation, a share of them in each process."""
    shares = [list(options[start::processes]) for start in range(min(processes, len(options)))]
    with ThreadPoolExecutor(processes) as pool:
        parts = list(pool.map(lambda share: _hold(share, arguments), shares))
    return {option: outcomes for part in parts for option, outcomes in part.items()}


def first_failure(outcomes: Sequence[CaseOutcome]) -> CaseOutcome | None:
    """Return the first case that says that a promise is broken."""
    return next((outcome for outcome in outcomes if outcome.outcome is Outcome.FAIL), None)


def _hold(options: Sequence[str], arguments: Sequence[str]) -> Held:
    with scratch() as folder:
        report = folder / "report.json"
        command = [sys.executable, "-m", "pytest", "-q", "--benchmark-disable", *arguments]
        command += [f"--basetemp={folder}/tests", f"--reedbackup-report={report}"]
        command += [f"--reedbackup-impl={option}" for option in options]
        ended = subprocess.run(
            command,
            cwd=PROJECT,
            env={**os.environ, "PYTHONPATH": str(PROJECT / "tests")},
            capture_output=True,
            text=True,
            check=False,
        )
        # 0: all passed; 1: something failed. All else is no verdict.
        if ended.returncode not in (0, 1) or not report.exists():
            raise RuntimeError(f"the suite did not run: {ended.stdout}{ended.stderr}")
        held: dict[str, list[CaseOutcome]] = {option: [] for option in options}
        for outcome in json_report.read(report).cases:
            held[outcome.implementation].append(outcome)
        return held
