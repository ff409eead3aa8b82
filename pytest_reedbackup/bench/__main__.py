"""The command: which rows, by which implementations, shown as a table, as JSON or as a page."""

from __future__ import annotations

import argparse
import fnmatch
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec

from pytest_reedbackup.bench.contestants.implementation import REFERENCE
from pytest_reedbackup.bench.curves import POINTS
from pytest_reedbackup.bench.result import Result
from pytest_reedbackup.bench.rows import LOOKS, Row
from pytest_reedbackup.bench.run import Wanted, run
from pytest_reedbackup.bench.shown.page import write_page
from pytest_reedbackup.bench.shown.terminal import show
from pytest_reedbackup.bench.table import ROWS
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import BrokenPromise

_PROGRAM = "python -m pytest_reedbackup.bench"
_DESCRIPTION = "Time implementations beside tools that people know, in turn, and show the ratios."


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return 1 unless every target is reached, 2 for what cannot be done."""
    options = _parser().parse_args(arguments)
    try:
        result = _read(options.read) if options.read else _measured(options)
    except (BrokenPromise, AdapterFault, _CannotBeDone) as error:
        return _refused(str(error))
    except subprocess.CalledProcessError as error:
        said = os.fsdecode(error.stderr or error.stdout or b"").strip()
        return _refused(f"{' '.join(map(str, error.cmd))}: {said or f'status {error.returncode}'}")
    show(result)
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    if options.docs:
        write_page(result, options.docs)
    return int(not result.is_reached)


class _CannotBeDone(Exception):
    """What the command line asks for is not to be had."""


def _measured(options: argparse.Namespace) -> Result:
    rows = [row for row in _all_rows() if _is_wanted(row, options.row)]
    if not rows:
        known = ", ".join(row.id for row in ROWS)
        asked = " or ".join(options.row)
        raise _CannotBeDone(f"nothing is called {asked}; there are {known}, and curve/*")
    wanted = Wanted(
        rows,
        options.impl or [REFERENCE],
        options.baseline,
        options.rounds,
        options.floors,
        options.budget,
    )
    try:
        folder = Path(tempfile.mkdtemp(prefix="reedbackup-", dir=options.folder))
    except OSError as error:
        raise _CannotBeDone(f"{error}; --folder names one that is there") from error
    started = time.monotonic()
    try:
        return run(wanted, folder, lambda said: _say(time.monotonic() - started, said))
    finally:
        remove_tree(folder)


def _all_rows() -> Sequence[Row]:
    return (*ROWS, *(point.row for point in POINTS))


def _is_wanted(row: Row, patterns: Sequence[str] | None) -> bool:
    return any(fnmatch.fnmatch(row.id, pattern) for pattern in patterns or ["*"])


def _read(path: Path) -> Result:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Result)
    except (OSError, msgspec.DecodeError) as error:
        raise _CannotBeDone(f"{path}: {error}; --json writes what --from reads") from error


def _say(secs: float, said: str) -> None:
    print(f"{secs:5.0f} s  {said}", file=sys.stderr, flush=True)


def _refused(why: str) -> int:
    print(f"{_PROGRAM}: {why}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=_DESCRIPTION)
    parser.add_argument(
        "--impl",
        action="append",
        help="as --reedbackup-impl (repeatable; default: python; for the port, python-last)",
    )
    parser.add_argument(
        "--baseline", metavar="IMPL", help="an implementation that has turns beside each of them"
    )
    parser.add_argument(
        "--row",
        action="append",
        help="what to measure, as in 'create/*' (repeatable; default: all)",
    )
    parser.add_argument(
        "--rounds",
        type=_at_least_one,
        default=LOOKS[-1],
        help="the most turns of each; who is decided before has fewer (default: %(default)s)",
    )
    parser.add_argument(
        "--budget",
        type=float,
        default=900.0,
        metavar="SECS",
        help="begin no turn after that (default: %(default)g)",
    )
    parser.add_argument(
        "--floors", action="store_true", help="time each job's system calls alone, too"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every turn's figure")
    parser.add_argument(
        "--from", type=Path, metavar="FILE", dest="read", help="measure nothing: read such a file"
    )
    parser.add_argument(
        "--docs", type=Path, metavar="FOLDER", help="write performance.md and its curves there"
    )
    parser.add_argument(
        "--folder", type=Path, help="where databases are built (default: the temporary folder)"
    )
    return parser


def _at_least_one(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("there is at least one turn")
    return number


if __name__ == "__main__":
    sys.exit(main())
