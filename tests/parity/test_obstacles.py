"""Obstacles in the place of files, locks that others hold, and the shrinking of scenarios."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import get_args

import pytest

from pytest_reedbackup.databases.held_locks import held, held_now
from pytest_reedbackup.generate.last.obstacles import OUTSIDE, Obstacle, ObstacleKind
from pytest_reedbackup.generate.last.scenarios import (
    Create,
    Edit,
    List,
    Restore,
    Scenario,
    TableHistory,
    Version,
)
from pytest_reedbackup.generate.last.shrinking import shrink
from pytest_reedbackup.generate.last.temporary_bases import temporary_bases
from pytest_reedbackup.recording.state import digest
from pytest_reedbackup.views.tree import Tree

VERSIONS = (Version(1, (Edit(extra=b"a\n"),)), Version(2, (Edit(keep=2),)))
PATHS = ("current.csv", "version.log", ".lock", "1.bsdiff", "rollback.tmp", "current.new.tmp", "")


def with_obstacle(path: str, kind: ObstacleKind) -> Scenario:
    table = TableHistory("text", VERSIONS, obstacles=(Obstacle(path, kind),))
    return Scenario((table,), (Restore(1),))


@pytest.mark.parametrize("kind", get_args(ObstacleKind))
@pytest.mark.parametrize("path", PATHS)
def test_an_obstacle_is_there_in_each_copy(path: str, kind: ObstacleKind) -> None:
    with temporary_bases(with_obstacle(path, kind), "a", "b") as (one, other):
        assert not Tree.read(one.parent).differences(Tree.read(other.parent))
        for base in (one, other):
            place = base / "tables" / "text" / path
            match kind:
                case "missing":
                    assert not os.path.lexists(place)
                case "folder" | "full-folder":
                    assert place.is_dir()
                    assert bool(list(place.iterdir())) == (kind == "full-folder")
                case "empty-file" | "other-file":
                    assert place.is_file()
                    assert bool(place.read_bytes()) == (kind == "other-file")
                case "read-only":
                    assert not place.is_file() or place.stat().st_mode & 0o777 == 0o444
                case _:
                    assert_leads(base, place, kind)


def assert_leads(base: Path, place: Path, kind: ObstacleKind) -> None:
    assert place.is_symlink()
    target = Path(os.path.realpath(place))
    around = base.parent / OUTSIDE if kind.endswith("outside") else base
    assert target.is_relative_to(os.path.realpath(around)), "each copy has its own"
    assert target.exists() == (kind in ("link", "link-outside"))
    assert target.parent.exists() == (kind != "link-to-nowhere")


def test_a_symlink_leads_to_what_was_there(tmp_path: Path) -> None:
    with temporary_bases(with_obstacle("current.csv", "link-outside"), "a") as (base,):
        assert (base / "tables" / "text" / "current.csv").read_bytes() == b"a\n"
        assert [path.name for path in (base.parent / OUTSIDE).iterdir()] == ["0"]


def test_a_recording_tells_apart_what_symlinks_lead_to_beside_the_base() -> None:
    scenario = with_obstacle("rollback.tmp", "link-outside")
    with temporary_bases(scenario, "a", "b") as (one, other):
        assert digest(one, one.parent) == digest(other, other.parent)
        (one.parent / OUTSIDE / "0").write_bytes(b"another")
        assert digest(one, one.parent) != digest(other, other.parent)


@pytest.fixture
def lock(tmp_path: Path) -> Path:
    path = tmp_path / ".lock"
    path.touch()
    return path


def is_taken(path: Path) -> bool:
    descriptor = os.open(path, os.O_RDWR)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def test_a_lock_is_held_throughout_the_call_and_no_longer(lock: Path) -> None:
    with held({lock: "throughout", lock.with_name("missing"): "throughout"}):
        assert is_taken(lock)
        assert list(held_now()) == [lock, lock.with_name("missing")]
    assert not is_taken(lock)
    assert not held_now()


def test_a_lock_is_let_go_after_a_moment(lock: Path) -> None:
    with held({lock: "a-moment"}):
        assert is_taken(lock)
        descriptor = os.open(lock, os.O_RDWR)
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # waits for it
        os.close(descriptor)


def test_two_names_of_one_lock_are_held_once(lock: Path) -> None:
    link = lock.with_name("link")
    link.symlink_to(lock.name)
    with held({lock: "throughout", link: "throughout"}):
        assert is_taken(lock)
    assert not is_taken(lock)


LARGE = Scenario(
    (
        TableHistory("users", (*VERSIONS, Version(9)), lines=((0, "blank"),), lock="a-moment"),
        TableHistory(
            "%FF",
            (Version(5), *VERSIONS, Version(2**40, (Edit(keep=3, mixed=b"\1", extra=b"zz"),))),
            obstacles=(Obstacle("rollback.tmp", "folder"), Obstacle(".lock", "dangling")),
            log="crlf",
        ),
    ),
    (List(), Restore(2**40, of_call=1, at=-60), Create(), Restore(7)),
    obstacles=(Obstacle("registry/actions.dict", "missing"),),
    users=b"code|\n1|admin|1\n\n7|bob|1\n",
)


def test_the_smallest_scenario_has_just_what_it_takes() -> None:
    def reproduces(scenario: Scenario) -> bool:
        has_link = any(
            Obstacle(".lock", "dangling") in table.obstacles for table in scenario.tables
        )
        return has_link and b"7|bob" in (scenario.users or b"") and len(scenario.calls) > 0

    (table,) = shrink(LARGE, reproduces).tables
    assert table == TableHistory("t", obstacles=(Obstacle(".lock", "dangling"),))
    assert shrink(LARGE, reproduces).users == b"7|bob|1\n"
    assert shrink(LARGE, reproduces).calls in [(List(),), (Create(),), (Restore(0),)]


def test_times_become_small_together() -> None:
    def reproduces(scenario: Scenario) -> bool:
        stamps = [version.at for table in scenario.tables for version in table.versions]
        targets = [call.target for call in scenario.calls if isinstance(call, Restore)]
        return bool(stamps and targets) and max(stamps) <= max(targets)

    found = shrink(LARGE, reproduces)
    assert [version.at for table in found.tables for version in table.versions] == [1]
    assert found.calls == (Restore(1),)


def test_tries_that_wait_for_a_lock_are_few_and_no_try_is_made_twice() -> None:
    tried: list[Scenario] = []

    def reproduces(scenario: Scenario) -> bool:
        tried.append(scenario)
        return any(
            len(table.versions) == 39 and table.lock == "throughout" for table in scenario.tables
        )

    versions = tuple(Version(n, (Edit(extra=b"a\n"),)) for n in range(1, 40))
    shrink(
        Scenario((TableHistory("text", versions, lock="throughout"),), (Restore(1),)), reproduces
    )
    assert sum(any(t.lock == "throughout" for t in each.tables) for each in tried) == 12
    assert len({each.digest for each in tried}) == len(tried)
