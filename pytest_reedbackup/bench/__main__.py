"""The command: which rows, against which peers, shown as a table, as JSON or as curves."""

from __future__ import annotations

import argparse
import fnmatch
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
from rich.console import Console

from pytest_reedbackup.bench.contestants import TOOLS, Contestant, Implementation, Peer, Tool, can
from pytest_reedbackup.bench.curves import CURVES, PANELS, Points, drawn, median_points
from pytest_reedbackup.bench.figures import GAUGES, Figure, Gauge
from pytest_reedbackup.bench.rows import ROWS, Row
from pytest_reedbackup.bench.shown import show
from pytest_reedbackup.bench.turns import Measured, measure
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import BrokenPromise

_PROGRAM = "python -m pytest_reedbackup.bench"
_DESCRIPTION = "Time implementations beside tools that people know, in turn, and show the ratios."


class Result(msgspec.Struct, frozen=True):
    """All that came of a run, as --json writes it."""

    rows: Sequence[Measured]
    figures: Sequence[Figure]

    @property
    def is_reached(self) -> bool:
        """Whether every target is."""
        pairs = all(pair.is_reached for row in self.rows for pair in row.beside)
        return pairs and all(figure.is_reached for figure in self.figures)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is wanted; return 1 where a target is missed, 2 for what cannot be done."""
    options = _parser().parse_args(arguments)
    folder = Path(tempfile.mkdtemp(prefix="reedbackup-", dir=options.folder))
    try:
        bench = _Bench(folder, options)
        if options.curves:
            options.curves.write_text(bench.curves())
            return 0
        result = bench.result()
    except (BrokenPromise, AdapterFault) as error:
        return _refused(str(error))
    except subprocess.CalledProcessError as error:
        said = os.fsdecode(error.stderr).strip()
        return _refused(f"{' '.join(error.cmd)}: {said or f'exit status {error.returncode}'}")
    finally:
        remove_tree(folder)
    if not result.rows and not result.figures:
        known = ", ".join(each.id for each in (*ROWS, *GAUGES))
        return _refused(f"nothing is called {' or '.join(options.row)}; there are {known}")
    show(result.rows, result.figures)
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(result)) + b"\n")
    return int(not result.is_reached)


def _refused(why: str) -> int:
    print(f"{_PROGRAM}: {why}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=_PROGRAM, description=_DESCRIPTION)
    parser.add_argument(
        "--impl", action="append", help="as --reedbackup-impl (repeatable; default: python)"
    )
    parser.add_argument(
        "--row",
        action="append",
        help="what to measure, as in 'create/*' (repeatable; default: all)",
    )
    parser.add_argument("--rounds", type=int, default=7, help="turns of each (default: 7)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure, in seconds")
    parser.add_argument(
        "--curves", type=Path, metavar="FILE", help="draw how time grows with size instead, in SVG"
    )
    parser.add_argument(
        "--folder", type=Path, help="where databases are built (default: the temporary folder)"
    )
    parser.add_argument(
        "--no-pause",
        action="store_true",
        help="do not wait 36 s before many files are made, which ext4 needs after removals",
    )
    return parser


class _Bench:
    """What is measured in one folder, with what the command line says."""

    def __init__(self, folder: Path, options: argparse.Namespace) -> None:
        self._folder = folder
        self._options = options
        self._templates = Templates(folder / "templates")
        self._implementations: Sequence[str] = options.impl or ["python"]
        self._console = Console(stderr=True)

    def result(self) -> Result:
        """Return what came of all that is wanted."""
        rows = [
            self._measured(row, implementation, TOOLS)
            for row in ROWS
            if self._is_wanted(row.id)
            for implementation in self._implementations
            if can(implementation, row.job)
        ]
        return Result(
            rows,
            [self._figure(gauge) for gauge in GAUGES if self._is_wanted(gauge.id)],
        )

    def curves(self) -> str:
        """Return the drawing of the first implementation's curves."""
        panels: dict[str, dict[str, Points]] = {}
        for title, specs in PANELS.items():
            panels[title] = {}
            for curve in CURVES:
                secs: dict[int, Sequence[float]] = {}
                for size, spec in specs.items():
                    measured = self._measured(curve.row(spec), self._implementations[0], ())
                    secs[size] = measured.own_secs
                panels[title][curve.name] = median_points(secs)
        return drawn(panels)

    def _is_wanted(self, name: str) -> bool:
        return any(fnmatch.fnmatch(name, pattern) for pattern in self._options.row or ["*"])

    def _measured(self, row: Row, option: str, tools: Sequence[Tool]) -> Measured:
        """Return what came of a row."""
        cloned = self._templates.cloned(row.spec, self._folder)
        with cloned as base, closing(Implementation(option, base)) as own:
            contestants: list[Contestant] = [own]
            for tool in tools:
                if tool.is_compared(row):
                    beside = self._templates.clone(row.spec, base.parent / tool.name / ".reed")
                    contestants.append(Peer(tool, beside))
            with self._console.status(f"{row.what}: {option}"):
                pause = (lambda secs: None) if self._options.no_pause else time.sleep
                return measure(row, contestants, self._options.rounds, pause)

    def _figure(self, gauge: Gauge) -> Figure:
        cloned = self._templates.cloned(gauge.spec, self._folder)
        with cloned as base, self._console.status(gauge.what):
            return gauge.figure(base)


if __name__ == "__main__":
    sys.exit(main())
