"""The three ways to set the time that an implementation sees."""

from __future__ import annotations

import os
import shlex
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.implementations.clocks.capability import CapabilityClock
from pytest_reedbackup.implementations.clocks.faketime import FakeTimeClock, remove_traces
from pytest_reedbackup.implementations.clocks.real import RealClock
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.model.target import TimeLimits
from reedbase_backup.types import U64_MAX

# Reads every clock and sleeps, as implementations do; `at` is what the time module says.
WATCH = """
import datetime, os, threading, time

class Watch:
    name = "watch"

    def create_backup(self, base_path):
        started, at = time.monotonic(), int(time.time())
        assert abs(datetime.datetime.now().timestamp() - at) < 5
        if os.path.basename(base_path) == "hang":
            time.sleep(60)
        time.sleep(0.02)
        slept = time.monotonic() - started
        assert 0.02 <= slept < 5, slept
        return {"id": f"{at}", "timestamp": at, "size_bytes": os.getpid(),
                "table_count": int(slept), "compression": "gzip"}

    def list_backups(self, base_path):
        entry = os.stat(base_path)
        return [{"id": "", "timestamp": int(entry.st_mtime), "size_bytes": 0,
                 "table_count": 0, "compression": ""}]

    def restore_point_in_time(self, base_path, target_timestamp):
        time.sleep(1 - time.time() % 1)
        return {"tables_restored": 0, "total_bytes": 0, "duration_ms": int(time.time())}
"""
LIMITS = TimeLimits(hello=10.0, call=5.0)
SHORT = TimeLimits(hello=10.0, call=0.3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the module `watch` is."""
    folder = tmp_path_factory.mktemp("watch")
    (folder / "watch.py").write_text(WATCH)
    return folder


@pytest.fixture(scope="module")
def served(folder: Path) -> str:
    """The command line that serves it."""
    serve = [sys.executable, "-m", "reedbase_backup", "serve", "watch:Watch"]
    return shlex.join(["env", f"PYTHONPATH={folder}", *serve])


@pytest.fixture(scope="module")
def meet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Connection]]:
    """Makes an implementation under test, with a scratch folder of its own."""
    made: list[Connection] = []

    def make(option: str) -> Connection:
        made.append(Connection(option, tmp_path_factory.mktemp("scratch"), LIMITS))
        return made[-1]

    yield make
    for implementation in made:
        implementation.close()


@pytest.fixture(scope="module")
def _watch(library: Path, meet: Callable[[str], Connection], served: str) -> Connection:
    return meet(served)


@pytest.fixture
def watch(_watch: Connection) -> Connection:
    """One process for all tests, its clock at the real time."""
    assert isinstance(_watch.clock, FakeTimeClock)
    _watch.clock.reset()
    _watch.limits = LIMITS
    return _watch


def made(implementation: Connection, base: str = "/x"):
    params = implementation.clock.params()
    return implementation.call("create_backup", "ticket", Path(base), **params).value


MOMENTS = {
    "forwards": 1_900_000_000,
    "backwards": 1_000_000_000,
    "1970": 0,
    "2038": 2**31 + 5,
    "2043": 2_303_683_200,
    "2106": 2**32 + 5,
    "2262": 9_223_000_000,
}


def test_an_unmodified_process_sees_every_time_that_is_set_between_two_requests(
    watch: Connection,
) -> None:
    seen, processes = {}, set()
    for moment, second in MOMENTS.items():
        watch.clock.set(second)
        backup = made(watch)
        seen[moment] = backup.timestamp - second
        processes.add(backup.size_bytes)
    assert seen == dict.fromkeys(MOMENTS, 0)
    assert len(processes) == 1


def test_trying_libfaketime_leaves_the_real_time(
    library: Path, meet: Callable[[str], Connection], served: str
) -> None:
    implementation = meet(served)
    assert implementation.clock.way == "libfaketime"
    assert abs(implementation.clock.seconds() - time.time()) < 5
    assert abs(made(implementation).timestamp - time.time()) < 5


def test_the_clock_keeps_running_under_libfaketime(watch: Connection) -> None:
    watch.clock.set(2_303_683_200)
    first = made(watch).timestamp
    time.sleep(1)
    assert made(watch).timestamp == first + 1 == watch.clock.seconds()


def test_an_implementation_can_wait_for_the_next_second_under_libfaketime(
    watch: Connection,
) -> None:
    watch.clock.set(2_303_683_200)
    report = watch.call("restore_point_in_time", "ticket", Path("/x"), target_timestamp=1).value
    assert report.duration_ms == 2_303_683_201


def test_advancing_costs_nothing_under_libfaketime(watch: Connection) -> None:
    watch.clock.set(1_900_000_000)
    started = time.monotonic()
    seen = []
    for _ in range(5):
        watch.clock.advance()
        seen.append(made(watch).timestamp)
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
    assert watch.call("list_backups", "ticket", tmp_path).value[0].timestamp == 1000


def test_a_reset_shows_the_real_time_again(watch: Connection) -> None:
    watch.clock.set(1_000_000_000)
    watch.clock.reset()
    assert abs(made(watch).timestamp - time.time()) < 5


@pytest.mark.parametrize("second", [-1, 9_223_372_037, 2**63, U64_MAX])
def test_what_libfaketime_cannot_show_is_a_missing_capability_not_a_wrong_time(
    tmp_path: Path, second: int
) -> None:
    clock = FakeTimeClock(Path("/lib.so"), tmp_path, "Rust")
    with pytest.raises(MissingCapability, match=f"libfaketime cannot show the second {second}"):
        clock.set(second)


def test_the_time_outlives_a_fault(watch: Connection) -> None:
    watch.clock.set(2_303_683_200)
    first = made(watch).size_bytes
    watch.limits = SHORT
    with pytest.raises(AdapterFault):
        made(watch, "/hang")
    watch.limits = LIMITS
    again = made(watch)
    assert again.size_bytes != first
    assert 2_303_683_200 <= again.timestamp < 2_303_683_205


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="shared memory is not seen in a folder")
def test_a_killed_process_leaves_nothing_in_shared_memory(watch: Connection) -> None:
    pid = made(watch).size_bytes
    assert [name for name in os.listdir("/dev/shm") if name.endswith(f"_{pid}")]
    watch.limits = SHORT
    with pytest.raises(AdapterFault):
        made(watch, "/hang")
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


def test_a_process_that_libfaketime_does_not_reach_is_left_to_real_seconds(
    library: Path, meet: Callable[[str], Connection], served: str
) -> None:
    # As with ssh, a static binary or Go: the variables do not get there.
    implementation = meet(f"env -u LD_PRELOAD {served}")
    assert isinstance(implementation.clock, RealClock)
    with pytest.raises(
        MissingCapability, match=r"libfaketime does not reach its process"
    ) as caught:
        implementation.clock.set(5)
    assert not caught.value.tool
    assert abs(made(implementation).timestamp - time.time()) < 5


def test_an_adapter_that_libfaketime_breaks_is_left_to_real_seconds(
    library: Path, meet: Callable[[str], Connection], served: str
) -> None:
    script = f'test -z "$LD_PRELOAD" || exit 9; exec {served}'
    implementation = meet(shlex.join(["sh", "-c", script]))
    assert isinstance(implementation.clock, RealClock)
    assert abs(made(implementation).timestamp - time.time()) < 5


def test_without_libfaketime_a_tool_is_missing(
    meet: Callable[[str], Connection], served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pytest_reedbackup.implementations.clocks.faketime._PATTERNS", ("no/such/place/*",)
    )
    monkeypatch.delenv("REEDBACKUP_LIBFAKETIME", raising=False)
    implementation = meet(served)
    assert implementation.clock.way == "real seconds"
    with pytest.raises(MissingCapability, match=r"`faketime`\) is not installed") as caught:
        implementation.clock.set(5)
    assert caught.value.tool


@pytest.fixture
def inside(
    meet: Callable[[str], Connection], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Connection:
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    return meet("watch:Watch")


def test_an_object_in_process_sees_every_time_that_is_set_between_two_calls(
    inside: Connection,
) -> None:
    assert inside.clock.way == "time-machine"
    seen = {}
    for moment, second in MOMENTS.items():
        inside.clock.set(second)
        seen[moment] = made(inside).timestamp - second
    assert seen == dict.fromkeys(MOMENTS, 0)
    inside.clock.reset()
    assert abs(made(inside).timestamp - time.time()) < 5


def test_only_the_object_in_process_sees_it_and_durations_and_files_are_real(
    inside: Connection, tmp_path: Path
) -> None:
    os.utime(tmp_path, (1000, 1000))
    inside.clock.set(2_303_683_200)
    answer = inside.call("create_backup", "ticket", Path("/x"))
    assert 20_000_000 <= answer.elapsed_ns < 2_000_000_000
    assert inside.call("list_backups", "ticket", tmp_path).value[0].timestamp == 1000
    assert time.time() < 2_303_683_200
    report = inside.call("restore_point_in_time", "ticket", Path("/x"), target_timestamp=1).value
    assert report.duration_ms in (2_303_683_201, 2_303_683_202)


def test_the_real_time_is_back_after_a_call_that_hung(inside: Connection) -> None:
    inside.clock.set(2_303_683_200)
    inside.limits = SHORT
    with pytest.raises(AdapterFault):
        made(inside, "/hang")
    assert time.time() < 2_303_683_200


# Asks the C library, as code in C does.
UNREACHED = """
import ctypes, os
import watch

class Timeval(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("micros", ctypes.c_long)]

class InC(watch.Watch):
    def create_backup(self, base_path):
        now = Timeval()
        ctypes.CDLL(None).gettimeofday(ctypes.byref(now), None)
        return {"id": f"{now.seconds}", "timestamp": now.seconds, "size_bytes": os.getpid(),
                "table_count": 0, "compression": "gzip"}
"""


def test_an_object_whose_clock_cannot_be_moved_in_process_is_served(
    library: Path, meet: Callable[[str], Connection], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "unreached.py").write_text(UNREACHED)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    implementation = meet("unreached:InC")
    assert implementation.clock.way == "libfaketime"
    implementation.clock.set(2_303_683_200)
    backup = made(implementation)
    assert (backup.timestamp, backup.size_bytes != os.getpid()) == (2_303_683_200, True)


def test_where_nothing_moves_its_clock_it_stays_in_process(
    meet: Callable[[str], Connection], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "unreached.py").write_text(UNREACHED)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    monkeypatch.setattr(
        "pytest_reedbackup.implementations.clocks.faketime._PATTERNS", ("no/such/place/*",)
    )
    monkeypatch.delenv("REEDBACKUP_LIBFAKETIME", raising=False)
    implementation = meet("unreached:InC")
    assert implementation.clock.way == "real seconds"
    assert made(implementation).size_bytes == os.getpid()


def test_the_capability_comes_before_libfaketime(meet: Callable[[str], Connection]) -> None:
    served = shlex.join([sys.executable, "-m", "reedbase_backup", "serve", "python"])
    for option in ("python", served):
        assert isinstance(meet(option).clock, CapabilityClock)


def test_the_capability_tells_any_u64_second() -> None:
    clock = CapabilityClock()
    assert abs(clock.seconds() - time.time()) < 5
    for second in (0, 2**31, U64_MAX):
        clock.set(second)
        assert clock.seconds() == second
        assert clock.params()["now_ns"] // 10**9 == second
    clock.set(5)
    clock.advance(3)
    assert clock.seconds() == 8
    clock.reset()
    assert abs(clock.seconds() - time.time()) < 5


def test_real_seconds_pass_by_waiting() -> None:
    clock = RealClock("there is no other", tool=True)
    before = clock.seconds()
    clock.advance()
    assert clock.seconds() == before + 1
    # To the start of the second, so that much can be done within it.
    assert time.time() % 1 < 0.5
    clock.reset()
    assert clock.params() == {}


def test_real_seconds_neither_jump_nor_wait_for_long() -> None:
    clock = RealClock("there is no other", tool=True)
    started = time.monotonic()
    for move in (lambda: clock.set(5), lambda: clock.advance(4)):
        with pytest.raises(MissingCapability, match="there is no other"):
            move()
    assert time.monotonic() - started < 0.5
