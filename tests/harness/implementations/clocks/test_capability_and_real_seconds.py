"""The clocks that need nobody's help: an implementation's own, and waiting."""

from __future__ import annotations

import time

import pytest

from pytest_reedbackup.implementations.clocks.capability import CapabilityClock
from pytest_reedbackup.implementations.clocks.real import RealClock
from pytest_reedbackup.model.failures import MissingCapability
from reedbase_backup.types import U64_MAX


def test_the_capability_passes_on_any_u64_second() -> None:
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
    with pytest.raises(MissingCapability, match="there is no other"):
        clock.set(5)
    with pytest.raises(MissingCapability, match="there is no other"):
        clock.advance(4)
    assert time.monotonic() - started < 0.5
