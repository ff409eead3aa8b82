"""A recording of an implementation, played back in its place (`replay:FILE`)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import msgspec

from pytest_reedbackup.model.adapter_faults import (
    AdapterFault,
    Crashed,
    NotRecorded,
    TimedOut,
    Unusable,
)
from pytest_reedbackup.recording.changes import make_again
from pytest_reedbackup.recording.current_case import current_case
from pytest_reedbackup.recording.file import RecordingFile, UnusableRecording
from pytest_reedbackup.recording.format import CallKey, RecordedCall, RecordedFault, Recording
from pytest_reedbackup.recording.requests import Request

PREFIX = "replay:"
"""The beginning of an option that names a recording."""


def open_recording(option: str) -> RecordingFile:
    """Open the file that `replay:FILE` names. Raise Unusable."""
    path = option.removeprefix(PREFIX)
    if not path:
        raise Unusable("it names no file")
    try:
        return RecordingFile(Path(path).expanduser())
    except UnusableRecording as error:
        raise Unusable(str(error)) from error


class ReplayTransport:
    """A transport that gives recorded answers, and makes the recorded changes on disk.

    It finds a call by the case, the request and the state of the base. Where
    several calls of a case agree in these, their answers come in the recorded
    order, and after the last one the last one again.
    """

    def __init__(self, file: RecordingFile) -> None:
        self._file = file
        self._calls_by_key: dict[str, dict[CallKey, list[RecordedCall]]] = {}
        self._times_asked: dict[tuple[str, CallKey], int] = {}

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        """Return the recorded reply. Raise NotRecorded, or the recorded fault."""
        call = Request.read(request)
        if call is None:
            return self._reply_without_call(msgspec.json.decode(request))
        recorded = self._next_answer(call.recorded().key)
        make_again(call.around, recorded.gone, recorded.changes, self._blob)
        if recorded.fault is not None:
            raise _exception(recorded.fault)
        if recorded.verbatim:
            return recorded.verbatim
        return msgspec.json.encode({**call.unmarked(recorded.reply), "id": call.id})

    def finish(self, timeout_secs: float) -> None:
        """Do nothing: there is nothing to wait for."""

    def log(self) -> str:
        """Return nothing: a recording logs nothing."""
        return ""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _reply_without_call(self, request: dict[str, Any]) -> bytes:
        hello = self._file.recording.header.hello
        result = hello if request["method"] == "hello" else {"value": None}
        return msgspec.json.encode({"jsonrpc": "2.0", "id": request["id"], "result": result})

    def _next_answer(self, key: CallKey) -> RecordedCall:
        current = current_case()
        if current is None or current.name not in self._file.recording.cases:
            raise _not_recorded("this case", self._file.recording)
        calls = self._calls(current.name).get(key)
        if calls is None:
            raise _not_recorded("this call on this state of the database", self._file.recording)
        times = self._times_asked.get((current.name, key), 0)
        self._times_asked[current.name, key] = times + 1
        return calls[min(times, len(calls) - 1)]

    def _calls(self, case: str) -> dict[CallKey, list[RecordedCall]]:
        if case not in self._calls_by_key:
            calls: dict[CallKey, list[RecordedCall]] = {}
            for call in self._file.recording.cases[case].calls:
                calls.setdefault(call.key, []).append(call)
            self._calls_by_key[case] = calls
        return self._calls_by_key[case]

    def _blob(self, name: str) -> bytes:
        try:
            return self._file.blob(name)
        except (OSError, zipfile.BadZipFile) as error:
            raise AdapterFault(f"the recording became unreadable: {error}") from error


def _not_recorded(what: str, recording: Recording) -> NotRecorded:
    header = recording.header
    fault = NotRecorded(f"the recording of {header.hello.name!r} does not have {what}")
    fault.hint = (
        f"it was made by kit {header.kit} with --reedbackup-seed={header.seed}"
        f" --reedbackup-examples={header.examples}: give the same and choose"
        " the same cases, or record again with this kit (--reedbackup-record=FILE)"
    )
    return fault


def _exception(fault: RecordedFault) -> AdapterFault:
    """Return the recorded fault as an exception: TimedOut, Crashed, or else AdapterFault."""
    kinds = {kind.__name__: kind for kind in (TimedOut, Crashed)}
    kind = kinds.get(fault.kind, AdapterFault)
    return kind(f"{fault.message} (when it was recorded)", fault.log)
