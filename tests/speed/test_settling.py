"""Before a turn of the benchmark memory is at hand, and free (`bench/settling`)."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

import pytest

from pytest_reedbackup.bench import settling

SIZE = 1 << 26
LARGEST_PAGE = 1 << 21


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(sys.platform != "linux", reason="only there does a process's memory tell")
def test_all_of_it_was_used_and_none_is_kept() -> None:
    before, faults = resident_bytes(), resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    settling.have_at_hand(SIZE)
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    assert faults >= SIZE // LARGEST_PAGE
    assert resident_bytes() - before < SIZE // 2


def test_a_turn_is_settled_by_writing_what_is_to_be_written_and_having_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[object] = []
    monkeypatch.setattr(settling, "sync", done.append)
    monkeypatch.setattr(settling, "have_at_hand", done.append)
    settling.settle(tmp_path)
    assert done == [tmp_path, 1 << 27]
