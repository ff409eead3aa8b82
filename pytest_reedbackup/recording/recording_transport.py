"""Any implementation, with every call of a case recorded on a tape."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from pytest_reedbackup.implementations.transport import Transport
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.recording import limits
from pytest_reedbackup.recording.changes import Snapshot, Unrecordable
from pytest_reedbackup.recording.format import Call, Fault
from pytest_reedbackup.recording.recorder import Recorder
from pytest_reedbackup.recording.requests import Request


class Recording:
    """Transport that passes everything on, and records it."""

    def __init__(self, transport: Transport, recorder: Recorder) -> None:
        self._transport = transport
        self._recorder = recorder

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        """The implementation's reply; calls and faults go on the tape."""
        call = Request.read(request)
        if call is None or self._recorder.case is None:
            return self._transport.exchange(request, timeout_secs)
        before, state = Snapshot.read(call.around), call.digest()
        try:
            reply = self._transport.exchange(request, timeout_secs)
        except AdapterFault as fault:
            told = Fault(type(fault).__name__, fault.message, fault.log)
            self._record(call, state, before, lambda taped: _with_fault(taped, told))
            raise
        self._record(call, state, before, lambda taped: _with_reply(taped, call, reply))
        return reply

    def finish(self, timeout_secs: float) -> None:
        """As the transport does."""
        self._transport.finish(timeout_secs)

    def log(self) -> str:
        """As the transport does."""
        return self._transport.log()

    def close(self) -> None:
        """As the transport does."""
        self._transport.close()

    def _record(
        self, call: Request, state: str, before: Snapshot, completed: Callable[[Call], Call]
    ) -> None:
        try:
            changes = before.changes()
        except Unrecordable:
            self._recorder.needs(limits.OTHER_FILES)
            return
        taped = Call(
            method=call.method,
            contract=call.contract,
            params=call.params,
            before=state,
            gone=changes.gone,
            changes=changes.changes,
        )
        self._recorder.add(completed(taped), changes.blobs)


def _with_fault(taped: Call, fault: Fault) -> Call:
    return msgspec.structs.replace(taped, fault=fault)


def _with_reply(taped: Call, call: Request, line: bytes) -> Call:
    """With the reply, as it stands where it is not a reply to this request."""
    try:
        reply = msgspec.json.decode(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        reply = None
    if not isinstance(reply, dict) or reply.get("id") != call.id:
        return msgspec.structs.replace(taped, verbatim=line)
    return msgspec.structs.replace(taped, reply=call.marked({**reply, "id": 0}))
