"""Scenarios are plain data that build the same bytes each time; strategies reach every edge."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from pytest_reedbackup.generate.last.descriptions import describe_scenario
from pytest_reedbackup.generate.last.file_damage import BitFlip, MissingFile
from pytest_reedbackup.generate.last.obstacles import ObstacleKind
from pytest_reedbackup.generate.last.scenarios import (
    Create,
    Edit,
    List,
    Restore,
    Scenario,
    TableHistory,
    Version,
)
from pytest_reedbackup.generate.last.strategies.scenarios import edge_targets, scenarios
from pytest_reedbackup.generate.last.temporary_bases import temporary_bases
from pytest_reedbackup.views.tables import tables_of
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.last import Table
from reedbase_backup.types import U64_MAX

pytestmark = pytest.mark.slow

DRAWN = 2000


def drawn(count: int = DRAWN, *, specified_only: bool = False) -> list[Scenario]:
    found: list[Scenario] = []

    @seed(1)
    @settings(
        max_examples=count,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(scenarios(specified_only=specified_only))
    def note(scenario: Scenario) -> None:
        found.append(scenario)

    note()
    return found


@pytest.fixture(scope="module")
def some() -> list[Scenario]:
    return drawn()


def test_the_same_scenario_builds_the_same_bytes_modes_and_times(
    some: list[Scenario], tmp_path: Path
) -> None:
    for number, scenario in enumerate(some[:20]):
        once, twice = tmp_path / f"{number}-once", tmp_path / f"{number}-twice"
        scenario.build(once)
        Scenario.from_json(scenario.to_json()).build(twice)
        assert not Tree.read(once).differences(Tree.read(twice), mtime=False)
        files = [path for path in once.rglob("*") if path.is_file() and not path.is_symlink()]
        assert {path.stat().st_mtime_ns for path in files} == {
            (twice / path.relative_to(once)).stat().st_mtime_ns for path in files
        }


def test_a_digest_identifies_a_scenario(some: list[Scenario]) -> None:
    distinct = {scenario.to_json() for scenario in some}
    assert len({scenario.digest for scenario in some}) == len(distinct) > DRAWN / 2
    assert all(Scenario.from_json(each.to_json()) == each for each in some)


def test_the_copies_of_a_scenario_are_alike_and_go_away(some: list[Scenario]) -> None:
    with temporary_bases(some[-1], "a", "b") as (one, other):
        assert not Tree.read(one).differences(Tree.read(other), mtime=True)
    assert not os.path.lexists(one.parent)
    assert not os.path.lexists(other.parent)


def test_sound_deltas_lead_to_the_contents_that_were_written(tmp_path: Path) -> None:
    edits = (Edit(keep=2, mixed=b"\x01", extra=b"|", seek=-2), Edit(keep=9, extra=b"end\n"))
    history = TableHistory("text", (Version(1, (Edit(extra=b"abcd\n"),)), Version(2, edits)))
    Scenario((history,), (Restore(1),)).build(tmp_path / ".reed")
    table = tables_of(tmp_path / ".reed")["text"]
    assert table.content(1) == b"abcd\n"
    assert table.content(2) == b"bb|abcd\nend\n" == table.current.read_bytes()
    assert Table(tmp_path / ".reed", "text").rebuild(2) == table.content(2)


def test_damage_is_done_to_just_the_file_that_it_names(tmp_path: Path) -> None:
    first = Version(1, (Edit(extra=b"abcd\n"),))
    flipped = Version(1, first.edits, BitFlip(0, 1))
    for name, versions in {"sound": (first,), "flipped": (flipped,)}.items():
        scenario = Scenario((TableHistory("text", versions),), (Restore(1),))
        scenario.build(tmp_path / name)
    (difference,) = Tree.read(tmp_path / "sound").differences(Tree.read(tmp_path / "flipped"))
    assert difference.startswith("tables/text/1.bsdiff: content differs")


def test_targets_lie_at_and_around_every_version_and_at_the_ends_of_time() -> None:
    history = TableHistory("text", (Version(5), Version(9)))
    targets = edge_targets((history,))
    assert targets[:2] == [5, 9]
    assert set(targets) == {0, 1, 4, 5, 6, 7, 8, 9, 10, 2**63, U64_MAX}


def test_strategies_reach_every_kind_of_damage_and_of_call(some: list[Scenario]) -> None:
    seen: Counter[str] = Counter()
    for scenario in some:
        seen.update(type(call).__name__ for call in scenario.calls)
        obstacles = {f"{each.path} {each.kind}" for each in scenario.obstacles}
        seen.update(obstacles & {"tables missing", "tables other-file", "tables link-outside"})
        seen.update(each.kind for table in scenario.tables for each in table.obstacles)
        seen["users.dict"] += scenario.users is not None
        seen["the clock goes back"] += any(call.at < 0 for call in scenario.calls)
        seen["two backups"] += sum(isinstance(call, Create) for call in scenario.calls) > 1
        seen.update(backup.kind for backup in scenario.backups)
        stamps = [{version.at for version in table.versions} for table in scenario.tables]
        seen["a time in two tables"] += len(set().union(*stamps)) < sum(map(len, stamps))
        for table in scenario.tables:
            call_times = [version.at for version in table.versions]
            seen["no versions"] += not call_times
            seen["unsorted"] += call_times != sorted(call_times)
            seen["a time twice"] += len(set(call_times)) < len(call_times)
            seen["a damaged line"] += len(table.lines) == 1
            seen["several damaged lines"] += len({n for n, _ in table.lines}) > 1
            seen["an odd name"] += not table.folder.isalnum()
            seen["no UTF-8"] += "\udcff" in table.folder
            seen["a newline"] += "\n" in table.folder
            seen[f"lock {table.lock}"] += 1
            seen["a damaged log"] += bool(table.log)
            seen["current.csv " + table.current] += 1
            seen.update(type(version.delta).__name__ for version in table.versions)
    wanted = {
        *("Restore", "List", "Create", "tables missing", "tables other-file"),
        *("users.dict", "the clock goes back", "two backups", "several damaged lines"),
        *("an odd name", "no UTF-8", "a newline", "lock a-moment", "lock throughout"),
        *get_args(ObstacleKind),
        *("archive", "empty", "no-gzip", "cut", "folder", "link", "dangling"),
        *("a time in two tables", "no versions", "unsorted", "a time twice"),
        *("a damaged line", "a damaged log", "current.csv lost", "current.csv changed"),
        *("KnownDamage", "MissingFile", "Truncation", "TrailingBytes", "BitFlip", "OtherDelta"),
    }
    assert {kind for kind in wanted if not seen[kind]} == set()


def test_specified_only_draws_restores_only() -> None:
    calls = [call for scenario in drawn(300, specified_only=True) for call in scenario.calls]
    assert not [call for call in calls if isinstance(call, List | Create)]


def test_a_scenario_is_described(tmp_path: Path) -> None:
    history = TableHistory(
        "text",
        (Version(1, (Edit(extra=b"a\n"),)), Version(2, delta=MissingFile())),
        log="no-final-newline",
        current="lost",
    )
    scenario = Scenario((history,), (Restore(1), List()))
    scenario.build(tmp_path / ".reed")
    lines = describe_scenario(scenario, tmp_path / ".reed")
    assert lines[:3] == ["table text", "  version.log:", r"    1|5|1|2\n"]
    for line in (
        "  1.bsdiff: 2 bytes",
        "  damage: delta of version 2: missing",
        "  damage: version.log: no-final-newline",
        "  damage: current.csv: lost",
        "call 1: restore_point_in_time(target_timestamp=1)",
        "call 2: list_backups()",
    ):
        assert line in lines, lines
