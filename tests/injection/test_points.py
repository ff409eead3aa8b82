"""The points of a call: what changes the disk, counted as strace does, in an even order."""

from __future__ import annotations

from pytest_reedbackup.injection.sweeps.sampling import evenly
from pytest_reedbackup.injection.traced.points import Point, changing_points
from pytest_reedbackup.injection.traced.system_calls import SystemCall

READ = frozenset({"O_RDONLY"})
MAKE = frozenset({"O_WRONLY", "O_CREAT"})


def call(
    name: str, path: str, *, pid: int = 7, flags: frozenset[str] = frozenset(), result: int = 0
) -> SystemCall:
    return SystemCall(pid, name, (path,), flags, None, result, "")


def test_only_what_changes_the_base_is_a_point_and_all_calls_of_its_name_count() -> None:
    calls = [
        call("openat", "/lib/python", flags=READ),
        call("openat", "/disk/.reed/tables", flags=READ),
        call("openat", "/disk/.reed/new", flags=MAKE),
        call("write", "/dev/pts/0"),
        call("write", "/disk/.reed/new", result=3),
        call("link", "/disk/.reed/there", result=-1),
        call("fsync", "/disk/.reed/new"),
    ]
    assert changing_points(calls, "/disk") == [
        Point("openat", 3, ".reed/new"),
        Point("write", 2, ".reed/new"),
        Point("fsync", 1, ".reed/new"),
    ]


def test_each_thread_counts_for_itself() -> None:
    calls = [call("write", "/disk/a", pid=7), call("write", "/disk/b", pid=8)]
    calls += [call("write", "/disk/c", pid=8)]
    assert [point.id for point in changing_points(calls, "/disk")] == ["write#1", "write#2"]


def test_a_name_that_only_begins_like_the_disk_is_outside() -> None:
    assert changing_points([call("fsync", "/disk2/a")], "/disk") == []


def test_any_beginning_of_the_order_is_an_even_sample_and_the_whole_is_all() -> None:
    points = [Point("write", n, "") for n in range(1, 9)] + [Point("fsync", n, "") for n in (1, 2)]
    order = evenly(points)
    assert sorted(order, key=str) == sorted(points, key=str)
    assert {point.call for point in order[:2]} == {"write", "fsync"}
    writes = [point.number for point in order if point.call == "write"]
    # The last, the middle, and the middles of both halves.
    assert writes[0] == 8
    assert 3 <= writes[1] <= 5
    assert writes[2] < writes[1] < writes[3]
