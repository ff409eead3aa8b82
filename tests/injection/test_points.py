"""The points of a call: what changes the disk, counted as strace does, in an even order."""

from __future__ import annotations

import pytest

from pytest_reedbackup.injection.sweeps.sampling import evenly, failures_evenly
from pytest_reedbackup.injection.traced.errors import errors_of
from pytest_reedbackup.injection.traced.failures import Failure, failures_at
from pytest_reedbackup.injection.traced.points import Point, all_points, changing_points
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


def test_each_thread_counts_for_itself_and_who_comes_second_is_not_reached() -> None:
    calls = [call("write", "/disk/a", pid=7), call("write", "/disk/b", pid=8)]
    calls += [call("write", "/disk/c", pid=8)]
    points = changing_points(calls, "/disk")
    assert [(point.id, point.path) for point in points] == [
        ("write#1", "a"),
        ("write#1@2", "b"),
        ("write#2", "c"),
    ]
    # A failure comes to each of them, so there it is one point.
    assert [point.id for point in all_points(calls, "/disk")] == ["write#1", "write#2"]


def test_what_only_reads_can_fail_too() -> None:
    calls = [call("openat", "/disk/a", flags=READ), call("read", "/disk/a"), call("read", "/else")]
    assert [point.id for point in all_points(calls, "/disk")] == ["openat#1", "read#1"]
    assert changing_points(calls, "/disk") == []


def test_every_other_point_is_right_after_a_name_was_published_or_removed() -> None:
    calls = [call("write", "/disk/a") for _ in range(20)]
    calls[10:10] = [call("rename", "/disk/b"), call("fsync", "/disk")]
    first, second, *_ = evenly(changing_points(calls, "/disk"))
    assert first.id == "fsync#1"
    assert second.after != "rename"


def test_the_errors_of_a_kind_are_an_even_sample_and_the_whole_is_all() -> None:
    points = changing_points([call("fsync", "/disk/a") for _ in range(10)], "/disk")
    order = failures_evenly(points)
    every = {failure.id for point in points for failure in failures_at(point)}
    assert {failure.id for failure in order} == every
    assert len(order) == len(every)
    assert len({failure.error for failure in order[:10]}) == len(set(errors_of("fsync")))
    assert {failure.for_good for failure in order[:10]} == {False, True}
    assert len({failure.point for failure in order[:10]}) == 10


def test_a_small_sample_comes_to_what_tells_most_about_each_part_of_a_database() -> None:
    looks = [call("stat", f"/disk/.reed/{n}") for n in range(50)]
    reads = [
        call("read", f"/disk/.reed/{part}/file{n}")
        for part in ("tables", "indices", "backups")
        for n in range(10)
    ]
    points = all_points([*looks, *reads, call("rename", "/disk/.reed/new")], "/disk")
    order = failures_evenly(points)
    assert {failure.point.call for failure in order[:4]} == {"rename", "read"}
    assert {failure.point.part for failure in order[:4]} == {"tables", "indices", "backups", ""}
    assert order[0].id == "rename#1 EIO"


@pytest.mark.parametrize(
    ("path", "part"),
    [
        (".reed/tables/text/current.csv", "tables"),
        (".reed/tables/backups", "tables"),
        (".reed/.new/7/tables/text", "+tables"),
        (".reed/.new/7", ""),
        (".reed", ""),
        ("tables", ""),
    ],
)
def test_what_is_prepared_for_a_part_of_a_database_is_a_part_of_its_own(
    path: str, part: str
) -> None:
    assert Point("openat", 1, path).part == part


@pytest.mark.parametrize(
    ("name", "usual"),
    [("openat", "EACCES"), ("write", "ENOSPC"), ("read", "EIO"), ("fsync", "EIO")],
)
def test_a_call_fails_first_by_what_it_meets_most_often(name: str, usual: str) -> None:
    first = next(iter(failures_at(Point(name, 1, ""))))
    assert (first.error, first.for_good) == (usual, False)


def test_an_interrupt_happens_once_and_a_descriptor_keeps_nobody_out() -> None:
    (read,) = changing_points([call("write", "/disk/a")], "/disk")
    for_good = {failure.error for failure in failures_at(read) if failure.for_good}
    assert "EINTR" in set(errors_of("write")) - for_good
    assert "EACCES" not in set(errors_of("write")) | set(errors_of("fsync"))
    assert "EMFILE" in set(errors_of("openat"))


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


def test_only_reads_that_fail_for_good_may_meet_the_adapter_at_its_next_request() -> None:
    def may_meet(call: str, *, for_good: bool) -> bool:
        return Failure(Point(call, 1, ""), "EIO", for_good).may_hit_requests

    assert may_meet("read", for_good=True)
    assert not may_meet("read", for_good=False)
    assert not may_meet("fsync", for_good=True)
