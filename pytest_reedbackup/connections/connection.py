"""An implementation under test: what `--reedbackup-impl` names, kept running."""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pytest_reedbackup.connections.left_behind import blamed_on_implementation, paths_in
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.implementations import translation
from pytest_reedbackup.implementations.answers import Answer, Answered
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.implementations.clocks.capability import CapabilityClock
from pytest_reedbackup.implementations.clocks.clock import Clock
from pytest_reedbackup.implementations.clocks.faketime import (
    FakeTimeClock,
    find_libfaketime,
    moves_a_clock,
)
from pytest_reedbackup.implementations.clocks.in_process import InProcessClock
from pytest_reedbackup.implementations.clocks.moved import MovedClock
from pytest_reedbackup.implementations.clocks.real import RealClock
from pytest_reedbackup.implementations.command_line import words_of
from pytest_reedbackup.implementations.in_process import InProcess
from pytest_reedbackup.implementations.transport import Transport
from pytest_reedbackup.model.adapter_faults import AdapterFault, TimedOut, Unusable
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.target import TimeLimits
from pytest_reedbackup.recording import limits
from pytest_reedbackup.recording.clocks import RecordedClock, ReplayedClock
from pytest_reedbackup.recording.format import Tape
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.recording.recording_transport import Recording
from pytest_reedbackup.recording.replay import PREFIX, Replay, open_tape
from reedbase_backup.adapter.loading import BUILT_IN, CLOCK, UnusableImplementation, load
from reedbase_backup.adapter.protocol import Contract, Hello

_WHAT_TO_GIVE = (
    "give python, python-last, MODULE:OBJECT, replay:FILE, or the command line of an adapter"
)
_HELLO = '{"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1}}'
_SHUTDOWN_SECS = 10.0
# 2033; the time that libfaketime is tried with.
_PROBED_SECOND = 2_000_000_000
# The baseline's first create fails now and then (defect D1).
_PROBES = 5
_MODULE_OBJECT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass
class Connection:
    """Starts an implementation when it is needed, and afresh after a fault.

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
    _client: Client | None = field(default=None, init=False)
    _hello: Hello | None = field(default=None, init=False)
    _clock: Clock | None = field(default=None, init=False)
    _shown_clock: Clock | None = field(default=None, init=False)
    _in_process_clock: InProcessClock = field(default_factory=InProcessClock, init=False)
    _is_served: bool = field(default=False, init=False)
    """Whether it runs in a child process though it need not, for the clock's sake."""

    @property
    def hello(self) -> Hello:
        """What it says of itself. Raises Unusable with a hint."""
        if self._hello is None:
            self._hello = self._start({})
        return self._hello

    @property
    def recording(self) -> Tape | None:
        """What is played back; None for an implementation that runs."""
        if not self.option.startswith(PREFIX):
            return None
        file = open_tape(self.option)
        file.close()
        return file.tape

    @property
    def is_in_process(self) -> bool:
        """Whether it runs in this very process."""
        if self.option.startswith(PREFIX):
            return False
        return self.option in BUILT_IN or bool(_MODULE_OBJECT.fullmatch(self.option))

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]] | None:
        """The Python functions themselves; None behind a child process.

        Raises MissingCapability for a recording of such functions.
        """
        if self.recording is not None and self.recording.header.in_process:
            raise limits.missing(limits.FUNCTIONS)
        if not self.is_in_process:
            return None
        if self.recorder is not None:
            self.recorder.needs(limits.FUNCTIONS)
        return load(self.option).functions

    @property
    def command(self) -> Sequence[str]:
        """What starts it as a child process, one in process too.

        Raises Unusable for a malformed command line, and MissingCapability for
        a recording.
        """
        if self.recording is not None:
            raise limits.missing(limits.PROCESS)
        if self.recorder is not None:
            self.recorder.needs(limits.PROCESS)
        return self._command()

    def _command(self) -> Sequence[str]:
        if self.is_in_process:
            return [sys.executable, "-m", "reedbase_backup", "serve", self.option]
        try:
            command = words_of(self.option)
        except ValueError as error:
            raise Unusable(
                f"{self.option!r} is no command line: {error}; {_WHAT_TO_GIVE}"
            ) from error
        if not command:
            raise Unusable(f"it is empty; {_WHAT_TO_GIVE}")
        return command

    @property
    def environment(self) -> Mapping[str, str]:
        """What a child process is to be started with, beside this process's own."""
        clock = self._own_clock()
        moved = clock.environment if isinstance(clock, FakeTimeClock) else {}
        return {**self._paths(), **moved}

    def _paths(self) -> Mapping[str, str]:
        # pytest's `pythonpath` and conftest files may have put its module here.
        paths = os.pathsep.join(filter(None, sys.path))
        return {"PYTHONPATH": paths} if self.is_in_process else {}

    @property
    def clock(self) -> Clock:
        """The best clock that there is for it."""
        if self._shown_clock is None:
            clock = self._own_clock()
            recorder = self.recorder
            self._shown_clock = clock if recorder is None else RecordedClock(clock, recorder)
        return self._shown_clock

    def _own_clock(self) -> Clock:
        if self._clock is None:
            self._clock = self._best_clock()
        return self._clock

    def call(self, method: str, contract: Contract, base: Path, **params: int) -> Answer:
        """Calls one of the three functions; raises AdapterFault."""
        try:
            client = self._running()
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
        """Where the case before has left clock and databases is nothing to build on."""
        self.clock.reset()
        self.bases.clear()
        self.reported.clear()

    def blamed_for(self, error: OSError) -> BrokenPromise | None:
        """The broken promise that an error in this case stands for, if it is one."""
        return blamed_on_implementation(error, self.bases, self.reported)

    @contextmanager
    def waited_for(self, secs: float) -> Iterator[None]:
        """Gives its calls at least so many seconds, where a promise is about a longer time."""
        usual = self.limits
        self.limits = replace(usual, call=max(secs, usual.call))
        try:
            yield
        finally:
            self.limits = usual

    def shutdown(self) -> None:
        """Has it end as the protocol says, if it runs; raises AdapterFault where it does not."""
        client, self._client = self._client, None
        if client is not None:
            client.shutdown(min(self.limits.call, _SHUTDOWN_SECS))

    def close(self) -> None:
        """Ends it; the next call starts it afresh."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    def _running(self) -> Client:
        environment = self.environment  # first: to find the clock, it may be started anew
        if self._client is None:
            self._start(environment)
        assert self._client is not None
        return self._client

    def _start(self, environment: Mapping[str, str]) -> Hello:
        client = Client(self._transport(environment), keeps_time=not self.option.startswith(PREFIX))
        try:
            hello = client.hello(self.limits.hello)
        except AdapterFault as fault:
            client.close()
            unusable = Unusable(f"{self.option!r} does not speak the adapter protocol", fault.log)
            unusable.message += f": {fault.call}: {fault.message}"
            unusable.hint = self._hint(fault)
            raise unusable from fault
        self._client = client
        return hello

    def _hint(self, fault: AdapterFault) -> str:
        if isinstance(fault, TimedOut):
            return "--reedbackup-hello-timeout sets another limit"
        return "" if self.is_in_process else f"try it by hand: echo '{_HELLO}' | {self.option}"

    def _transport(self, environment: Mapping[str, str]) -> Transport:
        try:
            if self.option.startswith(PREFIX):
                return Replay(open_tape(self.option))
            transport: Transport = (
                InProcess(load(self.option), self._in_process_clock)
                if self.is_in_process and not self._is_served
                else ChildProcess(self._command(), environment)
            )
        except UnusableImplementation as error:
            raise Unusable(str(error)) from error
        except Unusable as unusable:
            unusable.hint = unusable.hint or _WHAT_TO_GIVE
            raise
        return transport if self.recorder is None else Recording(transport, self.recorder)

    def _best_clock(self) -> Clock:
        if (tape := self.recording) is not None:
            return ReplayedClock(tape)
        hello = self.hello
        if CLOCK in hello.capabilities:
            return CapabilityClock()
        if self.is_in_process:
            if self._is_reached_by(self._in_process_clock, {}):
                return self._in_process_clock
            # It asks the system itself, as code in C does; a process of its own may follow.
            self._is_served = True
        clock = self._clock_of_a_process(hello.language)
        self._is_served = self._is_served and isinstance(clock, FakeTimeClock)
        return clock

    def _clock_of_a_process(self, language: str) -> Clock:
        lacking = "it has no capability `clock`, and"
        library = find_libfaketime()
        if library is None:
            hint = "libfaketime (Debian's package `faketime`) is not installed"
            return RealClock(f"{lacking} {hint}", tool=True)
        clock = FakeTimeClock(library, self.scratch, language)
        if self._is_reached_by(clock, {**self._paths(), **clock.environment}):
            return clock
        if not moves_a_clock(library):
            return RealClock(f"{lacking} libfaketime moves no clock on this machine", tool=True)
        return RealClock(f"{lacking} libfaketime does not reach its process", tool=False)

    def _is_reached_by(self, clock: MovedClock, environment: Mapping[str, str]) -> bool:
        """Whether it shows the time that is set; then it runs with that clock."""
        self.close()
        try:
            self._start(environment)
            shown = self._timestamp_at(clock, _PROBED_SECOND)
        except (AdapterFault, BrokenPromise):
            shown = None
        clock.reset()
        if shown is not None and abs(shown - _PROBED_SECOND) < abs(shown - time.time()):
            return True
        self.close()
        return False

    def _timestamp_at(self, clock: MovedClock, second: int) -> int | None:
        """The timestamp of a backup that is made then; None where it cannot make one."""
        assert self._client is not None
        with tempfile.TemporaryDirectory(dir=self.scratch) as folder:
            base = Path(folder) / ".reed"
            build(DatabaseSpec(tables=1, rows=1), base)
            clock.set(second)
            for _ in range(_PROBES):
                contract = self.hello.contracts[0]
                answer = self._client.call("create_backup", contract, base, self.limits.call)
                if isinstance(answer, Answered):
                    timestamp: int = answer.value.timestamp
                    return timestamp
        return None
