"""A process that is called again and again, and started anew where it hangs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pytest_reedbackup.checks.expectations import hung
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.injection.traced.served import Served, started
from pytest_reedbackup.model.adapter_faults import AdapterFault, TimedOut


@dataclass
class Calling:
    """Calls an implementation in a process of its own, and waits for it so long and no longer."""

    implementation: TicketImplementation
    secs: float
    _process: Served | None = field(default=None, init=False)

    def __enter__(self) -> Calling:
        return self

    def __exit__(self, *error: object) -> None:
        """End the process."""
        self._end()

    @property
    def process(self) -> Served:
        """The process, which is started where there is none."""
        if self._process is None:
            self._process = started(self.implementation, secs=self.secs)
        return self._process

    def answered(self, what: str, call: Callable[[], Answer]) -> Answer:
        """Return the answer of a call; raise BrokenPromise where it hangs, and AdapterFault."""
        try:
            return call()
        except TimedOut:
            self._end()
            raise hung(what, self.secs) from None
        except AdapterFault:
            self._end()
            raise

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.client.close()
