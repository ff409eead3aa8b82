"""How far a command is, shown at a terminal if it takes a while; and in a pipe nothing."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reedbase_backup.meter import Meter

if TYPE_CHECKING:
    from rich.progress import Progress

# What is over sooner needs no bar, and loads nothing that draws one.
_PATIENCE_S = 0.5
_PERIOD_S = 0.1
_ROOM_FOR_A_BAR = 60


def can_show() -> bool:
    """Return whether somebody sees how far a command is: never in a script or a pipe."""
    return sys.stdout.isatty() and sys.stderr.isatty()


@contextmanager
def shown(words: str, total: Callable[[], int]) -> Iterator[Meter]:
    """Yield the meter of a call on `total` bytes, and show it meanwhile.

    They are counted only where somebody sees it.
    """
    meter, ended = Meter(), threading.Event()
    if not can_show():
        yield meter
        return
    shower = threading.Thread(target=_show, args=(meter, ended, words, total()), daemon=True)
    shower.start()
    try:
        yield meter
    finally:
        ended.set()
        # It takes itself away, so that the next line has the place.
        shower.join()


def _show(meter: Meter, ended: threading.Event, words: str, total: int) -> None:
    if ended.wait(_PATIENCE_S):
        return
    with _progress() as progress:
        task = progress.add_task(words, total=total or None)
        while not ended.wait(_PERIOD_S):
            done = meter.done()
            if done is not None:
                progress.update(task, completed=min(done, total))


def _progress() -> Progress:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        TaskProgressColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    console = Console(stderr=True)
    columns: list[ProgressColumn] = [TextColumn("{task.description}")]
    if console.width >= _ROOM_FOR_A_BAR:
        columns.append(BarColumn(bar_width=20))
    columns += [TaskProgressColumn(), TransferSpeedColumn(), TimeRemainingColumn()]
    return Progress(*columns, console=console, transient=True)
