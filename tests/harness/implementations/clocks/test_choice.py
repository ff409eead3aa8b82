"""Which of the ways to set its time an implementation gets."""

from __future__ import annotations

import os
import shlex
import sys
import time
from pathlib import Path

import pytest
from harness.implementations.clocks.watching import ConnectTo, created

from pytest_reedbackup.implementations.clocks.capability import CapabilityClock
from pytest_reedbackup.implementations.clocks.real import RealClock
from pytest_reedbackup.model.failures import MissingCapability


def test_trying_libfaketime_leaves_the_real_time(
    library: Path, connect_to: ConnectTo, served: str
) -> None:
    implementation = connect_to(served)
    assert implementation.clock.way == "libfaketime"
    assert abs(implementation.clock.seconds() - time.time()) < 5
    assert abs(created(implementation).timestamp - time.time()) < 5


def test_a_process_that_libfaketime_does_not_reach_is_left_to_real_seconds(
    library: Path, connect_to: ConnectTo, served: str
) -> None:
    # As with ssh, a static binary or Go: the variables do not get there.
    implementation = connect_to(f"env -u LD_PRELOAD {served}")
    assert isinstance(implementation.clock, RealClock)
    with pytest.raises(
        MissingCapability, match=r"libfaketime does not reach its process"
    ) as caught:
        implementation.clock.set(5)
    assert not caught.value.tool
    assert abs(created(implementation).timestamp - time.time()) < 5


def test_an_adapter_that_libfaketime_breaks_is_left_to_real_seconds(
    library: Path, connect_to: ConnectTo, served: str
) -> None:
    script = f'test -z "$LD_PRELOAD" || exit 9; exec {served}'
    implementation = connect_to(shlex.join(["sh", "-c", script]))
    assert isinstance(implementation.clock, RealClock)
    assert abs(created(implementation).timestamp - time.time()) < 5


def test_without_libfaketime_a_tool_is_missing(
    connect_to: ConnectTo, served: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "pytest_reedbackup.implementations.clocks.faketime._PATTERNS", ("no/such/place/*",)
    )
    monkeypatch.delenv("REEDBACKUP_LIBFAKETIME", raising=False)
    implementation = connect_to(served)
    assert implementation.clock.way == "real seconds"
    with pytest.raises(MissingCapability, match=r"`faketime`\) is not installed") as caught:
        implementation.clock.set(5)
    assert caught.value.tool


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
    library: Path, connect_to: ConnectTo, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "unreached.py").write_text(UNREACHED)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    implementation = connect_to("unreached:InC")
    assert implementation.clock.way == "libfaketime"
    implementation.clock.set(2_303_683_200)
    backup = created(implementation)
    assert (backup.timestamp, backup.size_bytes != os.getpid()) == (2_303_683_200, True)


def test_where_nothing_moves_its_clock_it_stays_in_process(
    connect_to: ConnectTo, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "unreached.py").write_text(UNREACHED)
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    monkeypatch.setattr(
        "pytest_reedbackup.implementations.clocks.faketime._PATTERNS", ("no/such/place/*",)
    )
    monkeypatch.delenv("REEDBACKUP_LIBFAKETIME", raising=False)
    implementation = connect_to("unreached:InC")
    assert implementation.clock.way == "real seconds"
    assert created(implementation).size_bytes == os.getpid()


def test_the_capability_comes_before_libfaketime(connect_to: ConnectTo) -> None:
    served = shlex.join([sys.executable, "-m", "reedbase_backup", "serve", "python"])
    for option in ("python", served):
        assert isinstance(connect_to(option).clock, CapabilityClock)
