"""Time under libfaketime, for processes that know nothing of it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from harness.implementations.clocks.watching import (
    LIMITS,
    MOMENTS,
    SHORT,
    created,
    listed,
    restored,
)

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.implementations.clocks.faketime import FakeTimeClock, remove_traces
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import MissingCapability
from reedbase_backup.types import U64_MAX


def test_an_unmodified_process_sees_every_time_that_is_set_between_two_requests(
    watch: Connection,
) -> None:
    seen, processes = {}, set()
    for moment, second in MOMENTS.items():
        watch.clock.set(second)
        backup = created(watch)
        seen[moment] = backup.timestamp - second
        processes.add(backup.size_bytes)
    assert seen == dict.fromkeys(MOMENTS, 0)
    assert len(processes) == 1


def test_the_clock_keeps_running_under_libfaketime(watch: Connection) -> None:
    watch.clock.set(2_303_683_200)
    first = created(watch).timestamp
    time.sleep(1)
    assert created(watch).timestamp == first + 1 == watch.clock.seconds()


def test_an_implementation_can_wait_for_the_next_second_under_libfaketime(
    watch: Connection,
) -> None:
    watch.clock.set(2_303_683_200)
    report = restored(watch)
    assert report.duration_ms == 2_303_683_201


def test_advancing_costs_nothing_under_libfaketime(watch: Connection) -> None:
    watch.clock.set(1_900_000_000)
    started = time.monotonic()
    seen = []
    for _ in range(5):
        watch.clock.advance()
        seen.append(created(watch).timestamp)
    assert seen == [1_900_000_000 + step for step in range(1, 6)]
    assert time.monotonic() - started < 0.9


def test_elapsed_times_are_real_under_libfaketime(watch: Connection) -> None:
    for second in (2_303_683_200, 1_000_000_000):
        watch.clock.set(second)
        answer = watch.call("create_backup", "ticket", Path("/x"))
        assert 20_000_000 <= answer.elapsed_ns < 2_000_000_000


def test_the_times_of_files_are_not_moved_by_libfaketime(watch: Connection, tmp_path: Path) -> None:
    os.utime(tmp_path, (1000, 1000))
    watch.clock.set(2_303_683_200)
    assert listed(watch, tmp_path).timestamp == 1000


def test_a_reset_shows_the_real_time_again(watch: Connection) -> None:
    watch.clock.set(1_000_000_000)
    watch.clock.reset()
    assert abs(created(watch).timestamp - time.time()) < 5


@pytest.mark.parametrize("second", [-1, 9_223_372_037, 2**63, U64_MAX])
def test_what_libfaketime_cannot_show_is_a_missing_capability_not_a_wrong_time(
    tmp_path: Path, second: int
) -> None:
    clock = FakeTimeClock(Path("/lib.so"), tmp_path, "Rust")
    with pytest.raises(MissingCapability, match=f"libfaketime cannot show the second {second}"):
        clock.set(second)


def test_the_time_outlives_a_fault(watch: Connection) -> None:
    watch.clock.set(2_303_683_200)
    first = created(watch).size_bytes
    watch.limits = SHORT
    with pytest.raises(AdapterFault):
        created(watch, "/hang")
    watch.limits = LIMITS
    again = created(watch)
    assert again.size_bytes != first
    assert 2_303_683_200 <= again.timestamp < 2_303_683_205


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory is not seen in a folder")
def test_a_killed_process_leaves_nothing_in_shared_memory(watch: Connection) -> None:
    pid = created(watch).size_bytes
    assert [name for name in os.listdir("/dev/shm") if name.endswith(f"_{pid}")]
    watch.limits = SHORT
    with pytest.raises(AdapterFault):
        created(watch, "/hang")
    assert [name for name in os.listdir("/dev/shm") if name.endswith(f"_{pid}")] == []
    remove_traces(pid)


def test_only_python_has_its_monotonic_clock_moved(tmp_path: Path) -> None:
    clocks = {
        language: FakeTimeClock(Path("/lib.so"), tmp_path, language).environment
        for language in ("Rust", "CPython 3.13")
    }
    assert clocks["Rust"]["FAKETIME_DONT_FAKE_MONOTONIC"] == "1"
    assert "FAKETIME_DONT_FAKE_MONOTONIC" not in clocks["CPython 3.13"]


def test_what_was_preloaded_stays_preloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/usr/lib/libjemalloc.so")
    environment = FakeTimeClock(Path("/lib.so"), tmp_path, "Rust").environment
    assert environment["LD_PRELOAD"] == "/lib.so:/usr/lib/libjemalloc.so"
