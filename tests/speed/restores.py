"""`python tests/speed/restores.py [IMPL …]`: restores of a long history, timed.

Each implementation of contract `last` (default: `python-last`; a command line
where a Rust build is at hand) restores a table to the newest of 10,001
versions, in turn with the bare decompression of the same deltas. This says
what the machine can do, so that the ratio to it can be held against the
baseline's: 8,157 ms against 3,447 ms (DESIGN.md, "Measured facts").
"""

from __future__ import annotations

import argparse
import lzma
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.databases.spec import HISTORY_10K
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.implementations.answers import Answered, value_of
from pytest_reedbackup.model.target import TimeLimits
from pytest_reedbackup.views.tables import TableFolder, tables_of
from reedbase_backup.types import U64_MAX

BASELINE_RATIO = 8_157 / 3_447
"""What the baseline takes for each second of bare decompression."""

_LIMITS = TimeLimits(call=600.0)


@dataclass(frozen=True)
class Speed:
    """What one implementation took, and bare decompression in the same rounds; milliseconds."""

    option: str
    restores: Sequence[float]
    decompressions: Sequence[float]

    @property
    def ratio(self) -> float:
        """Of the fastest round of each: other work on the machine can only slow a round down."""
        return min(self.restores) / min(self.decompressions)

    def __str__(self) -> str:
        own, bare = min(self.restores), min(self.decompressions)
        return (
            f"{self.option}: {own:,.0f} ms, where decompressing alone takes {bare:,.0f} ms:"
            f" a ratio of {self.ratio:.2f}, {self.ratio / BASELINE_RATIO:.0%} of the baseline's"
            f" {BASELINE_RATIO:.2f}"
        )


def measure(option: str, templates: Templates, folder: Path, rounds: int) -> Speed:
    """Times `option` in an empty `folder`; raises BrokenPromise where it cannot restore."""
    base = folder / ".reed"
    templates.clone(HISTORY_10K, base)
    (table,) = tables_of(base).values()
    content = table.current.read_bytes()
    implementation = Connection(option, folder, _LIMITS)
    restores, decompressions = [], []
    try:
        for _ in range(rounds):
            started = time.perf_counter()
            decompress_all(table)
            decompressions.append((time.perf_counter() - started) * 1000)
            restores.append(_restore(implementation, base))
            if table.current.read_bytes() != content:
                raise SystemExit(f"{option}: the restore gave wrong content")
    finally:
        implementation.close()
    return Speed(option, restores, decompressions)


def decompress_all(table: TableFolder) -> int:
    """Decompresses each delta of `table`, one after the other; gives the bytes that came out."""
    _, *later = table.versions()
    deltas = (table.delta(version.timestamp) for version in later)
    return sum(len(lzma.decompress(delta.read_bytes())) for delta in deltas)


def _restore(implementation: Connection, base: Path) -> float:
    answer = implementation.call("restore_point_in_time", "last", base, target_timestamp=U64_MAX)
    report = value_of(answer, f"restore_point_in_time of {implementation.option}")
    assert isinstance(answer, Answered)
    if not report.tables_restored:
        raise SystemExit(f"{implementation.option}: the table was not restored: {report}")
    return answer.elapsed_ns / 10**6


def main() -> None:
    """Measure the given implementations and print a line each."""
    parser = argparse.ArgumentParser(prog="python tests/speed/restores.py")
    parser.add_argument("impl", nargs="*", default=["python-last"], help="as --reedbackup-impl")
    parser.add_argument("--rounds", type=int, default=3, help="of each (default: 3)")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="reedbackup-"))
    try:
        templates = Templates(folder / "templates")
        for number, option in enumerate(arguments.impl):
            own = folder / str(number)
            own.mkdir()
            print(measure(option, templates, own, arguments.rounds), flush=True)
    finally:
        remove_tree(folder)


if __name__ == "__main__":
    main()
