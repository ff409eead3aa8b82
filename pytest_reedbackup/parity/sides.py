"""The two sides of a comparison, and what is known of each while it runs a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.databases.held_locks import Hold
from pytest_reedbackup.generate.last.scenarios import Restore, Scenario


@dataclass(frozen=True)
class Side:
    """One of the two implementations that are compared, on whatever database."""

    implementation: Implementation
    mended: frozenset[str]
    """The defects, by id, that it declares to do the safe thing about."""

    @property
    def name(self) -> str:
        """The implementation as given on the command line."""
        return self.implementation.connection.option

    def run_on(self, base: Path, scenario: Scenario) -> SideRun:
        """Return a run of the scenario on `base`, which was built of it."""
        return SideRun(self.name, self.implementation, base, self.mended, scenario.locks)


@dataclass(frozen=True)
class SideRun:
    """One side's run of a scenario, on a copy of the database of its own."""

    name: str
    """The implementation as given on the command line."""
    implementation: Implementation
    base: Path
    mended: frozenset[str]
    """The defects, by id, that it declares to do the safe thing about."""
    locks: Mapping[str, Hold] = field(default_factory=dict)
    """The tables whose lock somebody else holds during each call."""
    version_names: dict[tuple[str, int], str] = field(default_factory=dict)
    """What to call the versions that it wrote, by the table's name in reports and timestamp."""
    written: dict[int, list[int]] = field(default_factory=dict)
    """The timestamps of the versions that each call wrote."""
    archive_names: dict[str, str] = field(default_factory=dict)
    """What to call the backups that it made, by file name."""
    seconds: list[int] = field(default_factory=list)
    """What its clock was set to, in Unix seconds, where it was; the last one is now."""
    codes: list[int] = field(default_factory=list)
    """The codes by which the user system wrote its versions; a base has one."""

    def copied_to(self, base: Path) -> SideRun:
        """Return this run as it is now, on a copy of its base: later calls do not change it."""
        return SideRun(
            self.name,
            self.implementation,
            base,
            self.mended,
            self.locks,
            dict(self.version_names),
            {call: list(timestamps) for call, timestamps in self.written.items()},
            dict(self.archive_names),
            list(self.seconds),
            list(self.codes),
        )

    def held_locks(self) -> dict[Path, Hold]:
        """Return the files whose lock somebody else holds, and for how long."""
        return {self.base / "tables" / name / ".lock": hold for name, hold in self.locks.items()}

    def version_name(self, table: str, timestamp: int) -> str:
        """Return what to call a version of a table: the same on both sides."""
        return self.version_names.get((table, timestamp), f"version {timestamp}")

    def target(self, call: Restore) -> int:
        """Return the target of a restore, in Unix nanoseconds."""
        if not (timestamps := self.written.get(call.of_call)):
            return call.target
        return min(timestamps) - 1 if call.before else max(timestamps)

    def describe_target(self, call: Restore) -> str:
        """Return what to call the target of a restore: the same on both sides."""
        if not self.written.get(call.of_call):
            return str(call.target)
        return f"{'just before' if call.before else 'just after'} what call {call.of_call} wrote"
