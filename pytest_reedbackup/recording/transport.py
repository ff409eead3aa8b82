"""The transport to an implementation that is recorded."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from pytest_reedbackup.implementations.transport import Transport
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.recording.changes import InodeSnapshot, Unrecordable
from pytest_reedbackup.recording.format import RecordedCall, RecordedFault
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.recording.requests import Request
from pytest_reedbackup.recording.unsupported import Unsupported


class RecordingTransport:
    """A transport that passes everything on to another, and records it."""

    def __init__(self, transport: Transport, recorder: Recorder) -> None:
        self._transport = transport
        self._recorder = recorder

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        """Return the implementation's reply; record the call, and its fault where it has one."""
        call = Request.read(request)
        if call is None or self._recorder.case is None:
            return self._transport.exchange(request, timeout_secs)
        snapshot = InodeSnapshot.read(call.around)
        recorded = call.recorded()
        try:
            line = self._transport.exchange(request, timeout_secs)
        except AdapterFault as error:
            fault = RecordedFault(type(error).__name__, error.message, error.log)
            self._record(replace(recorded, fault=fault), snapshot)
            raise
        self._record(_with_reply(recorded, call, line), snapshot)
        return line

    def finish(self, timeout_secs: float) -> None:
        """Wait for the implementation to end."""
        self._transport.finish(timeout_secs)

    def log(self) -> str:
        """Return what the implementation logged."""
        return self._transport.log()

    def close(self) -> None:
        """End the implementation."""
        self._transport.close()

    def _record(self, call: RecordedCall, snapshot: InodeSnapshot) -> None:
        """Record the call with what has changed since the snapshot."""
        try:
            changes = snapshot.changes()
        except Unrecordable:
            self._recorder.needs(Unsupported.OTHER_FILES)
            return
        call = replace(call, gone=changes.gone, changes=changes.changes)
        self._recorder.add(call, changes.blobs)


def _with_reply(recorded: RecordedCall, call: Request, line: bytes) -> RecordedCall:
    """Return the call with its reply; where `line` is no reply to it, with the line itself."""
    try:
        reply = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        reply = None
    if not isinstance(reply, dict) or reply.get("id") != call.id:
        return replace(recorded, verbatim=line)
    return replace(recorded, reply=call.marked({**reply, "id": 0}))
