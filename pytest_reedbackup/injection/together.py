"""Several processes of one implementation that work on one base at once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from random import Random
from typing import Any

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.injection.traced.served import Served, nursery_of, started

BUSY = ("LockTimeout", "IoError", "CommandFailed")
"""What a call may say that did not come to its turn, or saw others at work."""

_BETWEEN_SECS = (0.001, 0.010)
_HALT_SECS = 0.015

Work = Callable[[Served], Any]
"""What one process is asked for, call by call."""


def together(implementation: Implementation, works: Sequence[Work]) -> list[Any]:
    """Do each work in a process of its own, all at once; return what each does, in their order.

    Now and then one of them halts in the midst of what it does, so that they meet each other
    everywhere, however quick they are and however few of them the machine runs at a time.

    Raise what the first of them raised, once all have ended; MissingCapability for a recording,
    and AdapterFault.
    """
    with ExitStack() as running:
        nursery = nursery_of(implementation) if len(works) > 1 else None
        if nursery is not None:
            running.callback(nursery.close)
        processes = []
        for _ in works:
            processes.append(started(implementation, nursery=nursery))
            running.callback(processes[-1].client.close)
        start = threading.Barrier(len(works))

        def do(process: Served, work: Work) -> Any:
            start.wait()
            return work(process)

        with _halted_at_times(processes), ThreadPoolExecutor(len(works)) as pool:
            futures = [pool.submit(do, *pair) for pair in zip(processes, works, strict=True)]
            return [future.result() for future in futures]


@contextmanager
def _halted_at_times(processes: Sequence[Served]) -> Iterator[None]:
    """Stop one process after the other for a moment, all of its group."""
    ended, random = threading.Event(), Random(0)

    def halt_on() -> None:
        while not ended.wait(random.uniform(*_BETWEEN_SECS)):
            group = random.choice(processes).pid
            with suppress(ProcessLookupError):
                os.killpg(group, signal.SIGSTOP)
                ended.wait(_HALT_SECS)
                os.killpg(group, signal.SIGCONT)

    halting = threading.Thread(target=halt_on)
    halting.start()
    try:
        yield
    finally:
        ended.set()
        halting.join()
