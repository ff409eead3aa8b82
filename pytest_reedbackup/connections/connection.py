"""An implementation under test: what `--reedbackup-impl` names, kept running."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_reedbackup.connections.clock_search import ClockSearch
from pytest_reedbackup.connections.left_behind import blamed_on_implementation, paths_in
from pytest_reedbackup.connections.runner import Runner
from pytest_reedbackup.implementations import translation
from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.implementations.clocks.clock import Clock
from pytest_reedbackup.implementations.clocks.faketime import FakeTimeClock
from pytest_reedbackup.model.adapter_faults import AdapterFault, TimedOut
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.target import TimeLimits
from pytest_reedbackup.recording.clocks import RecordingClock
from pytest_reedbackup.recording.format import Recording
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.recording.unsupported import Unsupported
from reedbase_backup.adapter.loading import load
from reedbase_backup.adapter.protocol import Contract, Hello

# Where a call of an implementation fails, a user's test is to be shown, and not this file.
__tracebackhide__ = True

_SHUTDOWN_SECS = 10.0


@dataclass
class Connection:
    """An implementation that is started when it is needed, and afresh after a fault.

    `option` is the value of --reedbackup-impl. `scratch` is a folder of its own.
    """

    option: str
    scratch: Path
    limits: TimeLimits = field(default_factory=TimeLimits)
    recorder: Recorder | None = None
    """Where its calls are recorded, if they are."""
    bases: set[Path] = field(default_factory=set, init=False)
    """The databases that it was called on in this case."""
    reported: set[str] = field(default_factory=set, init=False)
    """The paths that it answered with in this case."""
    turn: threading.RLock = field(default_factory=threading.RLock, init=False)
    """To be held by a thread that calls it."""
    _runner: Runner = field(init=False)
    _hello: Hello | None = field(default=None, init=False)
    _own_clock: Clock | None = field(default=None, init=False)
    _clock: Clock | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self._runner = Runner(self.option, self.recorder)

    @property
    def hello(self) -> Hello:
        """What it says of itself. Raise Unusable with a hint."""
        if self._hello is None:
            self._hello = self._runner.start({}, self.limits.hello)
        return self._hello

    @property
    def recording(self) -> Recording | None:
        """What is played back; None for an implementation that runs."""
        return self._runner.recording

    @property
    def is_in_process(self) -> bool:
        """Whether it runs in this very process."""
        return self._runner.is_in_process

    @property
    def is_called_here(self) -> bool:
        """Whether its calls are made in this very process, and in no child for the clock's sake."""
        self._best_clock()
        return self._runner.is_in_process and not self._runner.is_served

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]] | None:
        """The Python functions themselves; None behind a child process.

        Raise MissingCapability for a recording of such functions.
        """
        if self.recording is not None and self.recording.header.in_process:
            raise Unsupported.FUNCTIONS.missing()
        if not self.is_in_process:
            return None
        if self.recorder is not None:
            self.recorder.needs(Unsupported.FUNCTIONS)
        return load(self.option).functions

    @property
    def command(self) -> Sequence[str]:
        """What starts it as a child process, one in process too.

        Raise Unusable for a malformed command line, and MissingCapability for
        a recording.
        """
        if self.recording is not None:
            raise Unsupported.PROCESS.missing()
        if self.recorder is not None:
            self.recorder.needs(Unsupported.PROCESS)
        return self._runner.command

    @property
    def environment(self) -> Mapping[str, str]:
        """What a child process is to be started with, beside this process's own."""
        clock = self._best_clock()
        moved = clock.environment if isinstance(clock, FakeTimeClock) else {}
        return {**self._runner.python_path, **moved}

    @property
    def clock(self) -> Clock:
        """The best clock that there is for it; what it says is recorded, if calls are."""
        if self._clock is None:
            clock, recorder = self._best_clock(), self.recorder
            self._clock = clock if recorder is None else RecordingClock(clock, recorder)
        return self._clock

    def call(self, method: str, contract: Contract, base: Path, **params: int) -> Answer:
        """Call one of the three functions; raise AdapterFault."""
        try:
            client = self._client()
            self.bases.add(base)
            answer = translation.call(client, method, contract, base, self.limits.call, **params)
            self.reported |= paths_in(answer)
            return answer
        except AdapterFault as fault:
            if isinstance(fault, TimedOut):
                fault.hint = "--reedbackup-timeout sets another limit"
            self.close()
            raise

    def begin_case(self) -> None:
        """Forget where the case before has left clock and databases."""
        self.clock.reset()
        self.bases.clear()
        self.reported.clear()

    def blamed_for(self, error: OSError) -> BrokenPromise | None:
        """Return the broken promise that an error in this case stands for, if it is one."""
        return blamed_on_implementation(error, self.bases, self.reported)

    @contextmanager
    def waited_for(self, secs: float) -> Iterator[None]:
        """Give its calls at least so many seconds, where a promise is about a longer time."""
        usual = self.limits
        self.limits = replace(usual, call=max(secs, usual.call))
        try:
            yield
        finally:
            self.limits = usual

    def shutdown(self) -> None:
        """Have it end as the protocol says, if it runs; raise AdapterFault where it does not."""
        self._runner.shutdown(min(self.limits.call, _SHUTDOWN_SECS))

    def close(self) -> None:
        """End it; the next call starts it afresh."""
        self._runner.close()

    def _client(self) -> Client:
        environment = self.environment  # first: to find the clock, it may be started anew
        if self._runner.client is None:
            self._runner.start(environment, self.limits.hello)
        assert self._runner.client is not None
        return self._runner.client

    def _best_clock(self) -> Clock:
        if self._own_clock is None:
            search = ClockSearch(self._runner, self.hello, self.limits, self.scratch)
            self._own_clock = search.best()
        return self._own_clock
