"""The decompression of a table's deltas alone: what of a restore by `last` is lzma's own."""

from __future__ import annotations

import lzma
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pytest_reedbackup.bench.contestants.contestant import Contestant
from pytest_reedbackup.bench.rows import Job
from pytest_reedbackup.views.tables import tables_of

_CORES = 2


class Decompression(Contestant):
    """Decompresses each delta of the one table, on two cores: lzma lets go of the GIL."""

    name = "lzma"
    is_floor = True

    def run(self, job: Job) -> float:
        """Read and decompress them."""
        (table,) = tables_of(self.base).values()
        _, *later = table.versions()
        deltas = [table.delta(version.timestamp) for version in later]
        started = time.perf_counter()
        with ThreadPoolExecutor(_CORES) as cores:
            list(cores.map(_decompressed, (deltas[core::_CORES] for core in range(_CORES))))
        return time.perf_counter() - started


def _decompressed(deltas: list[Path]) -> int:
    """Return how many bytes came of them."""
    return sum(len(lzma.decompress(delta.read_bytes())) for delta in deltas)
