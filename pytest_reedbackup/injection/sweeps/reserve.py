"""Processes of an implementation that wait to be called, started ahead."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.injection.traced.served import Served, nursery_of, started

_AHEAD = 2
"""How many wait: to start one takes about as long as to use one."""


class Reserve:
    """Has the next process ready by the time that it is asked for.

    A visit takes several processes, and most of its time is theirs to start.
    """

    def __init__(self, implementation: Implementation, tracer: Sequence[str] = ()) -> None:
        """Start processes of `implementation`, by the command `tracer` if there is one."""
        self._implementation = implementation
        self._tracer = tracer
        self._nursery = nursery_of(implementation, tracer)
        self._starter = ThreadPoolExecutor(1, thread_name_prefix="reedbackup-reserve")
        self._waiting: deque[Future[Served]] = deque()

    def __enter__(self) -> Reserve:
        return self

    def __exit__(self, *error: object) -> None:
        """End those that wait."""
        self._starter.shutdown(cancel_futures=True)
        for future in self._waiting:
            if not future.cancelled() and future.exception() is None:
                future.result().client.close()
        self._waiting.clear()
        if self._nursery is not None:
            self._nursery.close()

    @contextmanager
    def process(self) -> Iterator[Served]:
        """Give one that nobody has called, and end it.

        Raise MissingCapability for a recording, and AdapterFault where it does not start.
        """
        while len(self._waiting) <= _AHEAD:
            start = partial(started, tracer=self._tracer, nursery=self._nursery)
            self._waiting.append(self._starter.submit(start, self._implementation))
        process = self._waiting.popleft().result()
        try:
            yield process
        finally:
            process.client.close()
