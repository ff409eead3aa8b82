"""The database's own writers beside a backup: `.lock` taken, and a version written step by step.

Run as a program it writes to tables until its stdin ends:

    python -m pytest_reedbackup.injection.writers MODE BASE TABLE …

`busy` writes one version after the other. `once` halts in the midst of a version, says so with
a line, and ends it HALT_SECS later.

A version is written as contract `last` has it ("One write"): a temporary file, the delta, the
temporary file removed, current.csv overwritten in place, a line appended to version.log.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from pytest_reedbackup.databases import edits
from reedbase_backup.last.versions import delta

Mode = Literal["busy", "once"]

HALT_SECS = 0.5
"""How long `once` halts: more than a backup takes that does not wait for it."""

HALF_A_TABLE = "half of current.csv"
A_TABLE_BUT_NO_LINE = "current.csv"
STEPS = (
    *("lock", "temporary file", "delta", HALF_A_TABLE),
    *(A_TABLE_BUT_NO_LINE, "half of its line", "line"),
)
"""The steps of a write, in order."""

_FIRST_NS = 1_700_000_000 * 10**9
# A version takes 12 ms under the lock, and as long as that it is free a third of the time.
_STEP_SECS = 0.0015
_FREE_SECS = 0.004
_TEMPORARY = "current.new.tmp"
_GRACE_SECS = 5.0


def create_table(base: Path, name: str) -> None:
    """Make a table whose content says which version it is."""
    edits.create_table(base, name, content_of(1), _FIRST_NS)


def content_of(version: int) -> bytes:
    """Return current.csv of a version, counted from 1: every line says which it is."""
    return b"key|value\n" + b"".join(b"row.%d|version %d\n" % (row, version) for row in range(200))


def torn(files: Mapping[str, bytes]) -> list[str]:
    """Return what shows that a table's files, by name, are not those of one version.

    Each sentence is one contradiction.
    """
    signs = [f"{_TEMPORARY} is there"] if _TEMPORARY in files else []
    log = files.get("version.log", b"")
    if not log.endswith(b"\n"):
        signs.append("version.log ends in the midst of a line")
    sizes = {}
    for line in log.splitlines():
        fields = line.split(b"|")
        if len(fields) == 4:
            sizes[f"{fields[0].decode()}.bsdiff"] = fields[3]
    for name, size in sizes.items():
        if b"%d" % len(files.get(name, b"")) != size:
            signs.append(f"version.log says that {name} has {size.decode()} bytes")
    deltas = [name for name in files if name.endswith(".bsdiff")]
    signs += [f"version.log says nothing of {name}" for name in deltas if name not in sizes]
    if files.get("current.csv") != content_of(len(sizes)):
        signs.append(f"current.csv is not that of version {len(sizes)}, the log's last")
    return signs


@contextmanager
def writers(mode: Mode, base: Path, tables: Sequence[str]) -> Iterator[None]:
    """Have a process write to these tables of `base`; entered once it does.

    Raise RuntimeError where it ended before it was told to.
    """
    command = [sys.executable, "-m", __name__, mode, str(base), *tables]
    # pytest's own settings may have put this package where it was found.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
        # The terminal's Ctrl-C is this process's, which ends the other.
        start_new_session=True,
    )
    assert process.stdin
    assert process.stdout
    try:
        if process.stdout.readline() != b"writing\n":
            raise RuntimeError(f"a writer to the tables of {base} did not start")
        yield
        process.stdin.close()
        if process.wait(_GRACE_SECS + HALT_SECS):
            raise RuntimeError(f"a writer to the tables of {base} failed")
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        process.stdout.close()


def steps_of_a_write(table: Path, *, waits: bool = True) -> Iterator[str]:
    """Write a version of a table under its lock, step by step; yield what was done last.

    The lock is let go when the next step after the last is asked for. Raise BlockingIOError at
    once where another has the lock and this writer is not to wait.
    """
    current, log, temporary = table / "current.csv", table / "version.log", table / _TEMPORARY
    with edits.locked(table, waits=waits):
        lines = log.read_bytes().count(b"\n")
        old, new = content_of(lines), content_of(lines + 1)
        at_ns, stored = _FIRST_NS + lines, _diff(old, new)
        yield "lock"
        temporary.write_bytes(new)
        yield "temporary file"
        (table / f"{at_ns}.bsdiff").write_bytes(stored)
        yield "delta"
        temporary.unlink()
        with current.open("wb", buffering=0) as file:
            file.write(new[: len(new) // 2])
            yield HALF_A_TABLE
            file.write(new[len(new) // 2 :])
        yield A_TABLE_BUT_NO_LINE
        line = edits.log_line(at_ns, edits.UPDATE, 1, len(stored))
        with log.open("ab", buffering=0) as file:
            file.write(line[:7])
            yield "half of its line"
            file.write(line[7:])
        yield "line"


@functools.lru_cache(maxsize=1024)
def _diff(old: bytes, new: bytes) -> bytes:
    return delta.diff(old, new)


def _write(table: Path, halt: Callable[[], None]) -> None:
    """Write a version of a table, with a halt between its content and its line in the log."""
    for step in steps_of_a_write(table):
        halt() if step == A_TABLE_BUT_NO_LINE else time.sleep(_STEP_SECS)


def _say_so() -> None:
    sys.stdout.write("writing\n")
    sys.stdout.flush()


def _busy(tables: Sequence[Path], ended: threading.Event) -> None:
    def write_on(table: Path) -> None:
        while not ended.is_set():
            _write(table, lambda: time.sleep(_STEP_SECS))
            time.sleep(_FREE_SECS)

    threads = [threading.Thread(target=write_on, args=[table]) for table in tables]
    for thread in threads:
        thread.start()
    _say_so()
    for thread in threads:
        thread.join()


def _once(tables: Sequence[Path]) -> None:
    def halt() -> None:
        _say_so()
        time.sleep(HALT_SECS)

    for table in tables:
        _write(table, halt)


def main(mode: str, base: str, *names: str) -> None:
    """Run the program; see above."""
    ended = threading.Event()

    def wait_for_the_end() -> None:
        os.read(sys.stdin.fileno(), 1)
        ended.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    tables = [Path(base) / "tables" / name for name in names]
    if mode == "busy":
        _busy(tables, ended)
    else:
        _once(tables)


if __name__ == "__main__":
    main(*sys.argv[1:])
