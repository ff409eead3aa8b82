"""Start and end what an option names: a recording, an object in this process, a command."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_reedbackup.implementations.child import ChildProcess
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.implementations.clocks.in_process import InProcessClock
from pytest_reedbackup.implementations.command_line import words_of
from pytest_reedbackup.implementations.in_process import InProcess
from pytest_reedbackup.implementations.transport import Transport
from pytest_reedbackup.model.adapter_faults import AdapterFault, TimedOut, Unusable
from pytest_reedbackup.recording.format import Recording
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.recording.replay import PREFIX, ReplayTransport, open_recording
from pytest_reedbackup.recording.transport import RecordingTransport
from reedbase_backup.adapter.loading import BUILT_IN, UnusableImplementation, load
from reedbase_backup.adapter.protocol import Hello

_WHAT_TO_GIVE = (
    "give python, python-last, MODULE:OBJECT, replay:FILE, or the command line of an adapter"
)
_HELLO = '{"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1}}'
_MODULE_OBJECT = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


@dataclass
class Runner:
    """One implementation, running or not."""

    option: str
    """What --reedbackup-impl names."""
    recorder: Recorder | None = None
    """Where its calls are recorded, if they are."""
    is_served: bool = False
    """Whether it runs in a child process though it need not, for the clock's sake."""
    in_process_clock: InProcessClock = field(default_factory=InProcessClock, init=False)
    client: Client | None = field(default=None, init=False)
    """The conversation with it; None while it does not run."""

    @property
    def recording(self) -> Recording | None:
        """What is played back; None for an implementation that runs."""
        if not self.option.startswith(PREFIX):
            return None
        file = open_recording(self.option)
        file.close()
        return file.recording

    @property
    def is_in_process(self) -> bool:
        """Whether it runs in this very process, unless it is served for the clock's sake."""
        if self.option.startswith(PREFIX):
            return False
        return self.option in BUILT_IN or bool(_MODULE_OBJECT.fullmatch(self.option))

    @property
    def command(self) -> Sequence[str]:
        """What starts it as a child process, one in process too.

        Raise Unusable for a malformed command line.
        """
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
    def python_path(self) -> Mapping[str, str]:
        """The environment by which a child process finds the modules of this one."""
        # pytest's `pythonpath` and conftest files may have put its module here.
        paths = os.pathsep.join(filter(None, sys.path))
        return {"PYTHONPATH": paths} if self.is_in_process else {}

    def start(self, environment: Mapping[str, str], hello_secs: float) -> Hello:
        """Start it, and return what it says of itself. Raise Unusable with a hint.

        `environment` is for a child process, beside this process's own.
        """
        transport = self._transport(environment)
        client = Client(transport, keeps_time=not self.option.startswith(PREFIX))
        try:
            hello = client.hello(hello_secs)
        except AdapterFault as fault:
            client.close()
            unusable = Unusable(f"{self.option!r} does not speak the adapter protocol", fault.log)
            unusable.message += f": {fault.call}: {fault.message}"
            unusable.hint = self._hint(fault)
            raise unusable from fault
        self.client = client
        return hello

    def shutdown(self, timeout_secs: float) -> None:
        """End it as the protocol says, if it runs; raise AdapterFault where it does not end."""
        client, self.client = self.client, None
        if client is not None:
            client.shutdown(timeout_secs)

    def close(self) -> None:
        """End it without a word, if it runs."""
        client, self.client = self.client, None
        if client is not None:
            client.close()

    def _hint(self, fault: AdapterFault) -> str:
        if isinstance(fault, TimedOut):
            return "--reedbackup-hello-timeout sets another limit"
        return "" if self.is_in_process else f"try it by hand: echo '{_HELLO}' | {self.option}"

    def _transport(self, environment: Mapping[str, str]) -> Transport:
        try:
            if self.option.startswith(PREFIX):
                return ReplayTransport(open_recording(self.option))
            transport: Transport = (
                InProcess(load(self.option), self.in_process_clock)
                if self.is_in_process and not self.is_served
                else ChildProcess(self.command, environment)
            )
        except UnusableImplementation as error:
            raise Unusable(str(error)) from error
        except Unusable as unusable:
            unusable.hint = unusable.hint or _WHAT_TO_GIVE
            raise
        return transport if self.recorder is None else RecordingTransport(transport, self.recorder)
