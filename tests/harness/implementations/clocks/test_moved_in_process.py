"""The clock of an object in this process is moved, and nobody else's."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from harness.implementations.clocks.watching import MOMENTS, SHORT, created, listed, restored

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.model.adapter_faults import AdapterFault


def test_an_object_in_process_sees_every_time_that_is_set_between_two_calls(
    inside: Connection,
) -> None:
    assert inside.clock.way == "time-machine"
    seen = {}
    for moment, second in MOMENTS.items():
        inside.clock.set(second)
        seen[moment] = created(inside).timestamp - second
    assert seen == dict.fromkeys(MOMENTS, 0)
    inside.clock.reset()
    assert abs(created(inside).timestamp - time.time()) < 5


def test_only_the_object_in_process_sees_it_and_durations_and_files_are_real(
    inside: Connection, tmp_path: Path
) -> None:
    os.utime(tmp_path, (1000, 1000))
    inside.clock.set(2_303_683_200)
    answer = inside.call("create_backup", "ticket", Path("/x"))
    assert 20_000_000 <= answer.elapsed_ns < 2_000_000_000
    assert listed(inside, tmp_path).timestamp == 1000
    assert time.time() < 2_303_683_200
    report = restored(inside)
    assert report.duration_ms in (2_303_683_201, 2_303_683_202)


def test_the_real_time_is_back_after_a_call_that_hung(inside: Connection) -> None:
    inside.clock.set(2_303_683_200)
    inside.limits = SHORT
    with pytest.raises(AdapterFault):
        created(inside, "/hang")
    assert time.time() < 2_303_683_200
