"""An implementation under test: what `--reedbackup-impl` names, kept running."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_reedbackup.clock import (
    CapabilityClock,
    Clock,
    FakeTimeClock,
    RealClock,
    find_libfaketime,
)
from pytest_reedbackup.implementations import translated
from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Answer, Client
from pytest_reedbackup.implementations.faults import AdapterFault, Unusable
from pytest_reedbackup.implementations.in_process import InProcess
from pytest_reedbackup.implementations.transport import Transport
from reedbase_backup.protocol import Contract, Hello
from reedbase_backup.serve import BUILT_IN, CLOCK, UnusableImplementation, load

_MODULE_OBJECT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long the harness waits, in seconds (adapter protocol, "Time-outs")."""

    hello: float = 30.0
    call: float = 60.0


@dataclass
class ImplementationUnderTest:
    """Starts an implementation when it is needed, and afresh after a fault.

    `option` is the value of --reedbackup-impl. `scratch` is a folder of its own.
    """

    option: str
    scratch: Path
    limits: TimeLimits = TimeLimits()
    _client: Client | None = field(default=None, init=False)
    _hello: Hello | None = field(default=None, init=False)
    _clock: Clock | None = field(default=None, init=False)

    @property
    def hello(self) -> Hello:
        """What it says of itself. Raises Unusable with a hint."""
        if self._hello is None:
            self._connected()
        assert self._hello is not None
        return self._hello

    @property
    def is_in_process(self) -> bool:
        """Whether it runs in this very process."""
        return self.option in BUILT_IN or bool(_MODULE_OBJECT.fullmatch(self.option))

    @property
    def functions(self) -> Mapping[str, Callable[..., Any]] | None:
        """The Python functions themselves; None behind a child process."""
        return load(self.option).functions if self.is_in_process else None

    @property
    def command(self) -> Sequence[str]:
        """What starts it as a child process, one in process too.

        Raises Unusable for a malformed command line.
        """
        if self.is_in_process:
            return [sys.executable, "-m", "reedbase_backup", "serve", self.option]
        try:
            command = shlex.split(self.option)
        except ValueError as error:
            raise Unusable(f"{self.option!r} is no command line: {error}") from error
        if not command:
            raise Unusable("it is empty; give python, MODULE:OBJECT or a command line")
        return command

    @property
    def environment(self) -> Mapping[str, str]:
        """What a child process is to be started with, beside this process's own."""
        return self.clock.environment if isinstance(self.clock, FakeTimeClock) else {}

    @property
    def clock(self) -> Clock:
        """The best clock that there is for it."""
        if self._clock is None:
            self._clock = self._best_clock()
        return self._clock

    def call(self, method: str, contract: Contract, base: Path, **params: int) -> Answer:
        """Calls one of the three functions; raises AdapterFault."""
        client = self._connected()
        try:
            return translated.call(client, method, contract, base, self.limits.call, **params)
        except AdapterFault:
            self.close()
            raise

    def close(self) -> None:
        """Ends it; the next call starts it afresh."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connected(self) -> Client:
        if self._client is None:
            if self._hello is None:
                # Its capabilities decide on the clock, and the clock on how to start it.
                self._hello = self._start({})
                if not isinstance(self.clock, FakeTimeClock):
                    return self._running()
                self.close()
            self._start(self.environment)
        return self._running()

    def _running(self) -> Client:
        assert self._client is not None
        return self._client

    def _start(self, environment: Mapping[str, str]) -> Hello:
        client = Client(self._transport(environment))
        try:
            hello = client.hello(self.limits.hello)
        except AdapterFault as fault:
            client.close()
            raise Unusable(
                f"{self.option!r} does not speak the adapter protocol: {fault.message}", fault.log
            ) from fault
        self._client = client
        return hello

    def _best_clock(self) -> Clock:
        if CLOCK in self.hello.capabilities:
            return CapabilityClock()
        library = find_libfaketime()
        if library is not None and not self.is_in_process:
            return FakeTimeClock(library, self.scratch)
        return RealClock()

    def _transport(self, environment: Mapping[str, str]) -> Transport:
        if self.is_in_process:
            try:
                return InProcess(load(self.option))
            except UnusableImplementation as error:
                raise Unusable(str(error)) from error
        return ChildProcess(self.command, environment)
