"""A recording of an implementation, played back in its place (`replay:FILE`)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import msgspec

from pytest_reedbackup.model import adapter_faults
from pytest_reedbackup.model.adapter_faults import AdapterFault, NotRecorded, Unusable
from pytest_reedbackup.recording.changes import change_again
from pytest_reedbackup.recording.file import TapeFile, UnusableTape
from pytest_reedbackup.recording.format import Call, Fault, Tape
from pytest_reedbackup.recording.requests import Request
from pytest_reedbackup.recording.running import running

PREFIX = "replay:"
"""How the option of a replay begins."""


def open_tape(option: str) -> TapeFile:
    """The file that `replay:FILE` names. Raises Unusable."""
    path = option.removeprefix(PREFIX)
    if not path:
        raise Unusable("it names no file")
    try:
        return TapeFile(Path(path).expanduser())
    except UnusableTape as error:
        raise Unusable(str(error)) from error


class Replay:
    """Transport to a recording: the same answers and the same changes on disk.

    A call is found by its case, what is asked, and the state of the base. Where
    the same was asked more than once, the answers come in their order, and the
    last one again after that.
    """

    def __init__(self, file: TapeFile) -> None:
        self._file = file
        self._found: dict[str, dict[tuple[object, ...], list[Call]]] = {}
        self._given: dict[tuple[str, tuple[object, ...]], int] = {}

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        """The recorded reply. Raises NotRecorded, or the fault that was recorded."""
        asked = Request.read(request)
        if asked is None:
            return self._about_itself(msgspec.json.decode(request))
        call = self._next(asked)
        change_again(asked.around, call.gone, call.changes, self._blob)
        if call.fault is not None:
            raise _again(call.fault)
        if call.verbatim:
            return call.verbatim
        return msgspec.json.encode({**asked.unmarked(call.reply), "id": asked.id})

    def finish(self, timeout_secs: float) -> None:
        """Nothing to wait for."""

    def log(self) -> str:
        """Nothing."""
        return ""

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def _about_itself(self, request: dict[str, Any]) -> bytes:
        said = self._file.tape.header.hello if request["method"] == "hello" else {"value": None}
        return msgspec.json.encode({"jsonrpc": "2.0", "id": request["id"], "result": said})

    def _next(self, asked: Request) -> Call:
        now = running()
        if now is None or now.name not in self._file.tape.cases:
            raise _not_recorded("this case", self._file.tape)
        key = asked.method, asked.contract, tuple(sorted(asked.params.items())), asked.digest()
        calls = self._calls(now.name).get(key)
        if calls is None:
            raise _not_recorded("this call on this state of the database", self._file.tape)
        given = self._given.get((now.name, key), 0)
        self._given[now.name, key] = given + 1
        return calls[min(given, len(calls) - 1)]

    def _calls(self, case: str) -> dict[tuple[object, ...], list[Call]]:
        if case not in self._found:
            found: dict[tuple[object, ...], list[Call]] = {}
            for call in self._file.tape.cases[case].calls:
                found.setdefault(call.key, []).append(call)
            self._found[case] = found
        return self._found[case]

    def _blob(self, name: str) -> bytes:
        try:
            return self._file.blob(name)
        except (OSError, zipfile.BadZipFile) as error:
            raise AdapterFault(f"the recording became unreadable: {error}") from error


def _not_recorded(what: str, tape: Tape) -> NotRecorded:
    header = tape.header
    fault = NotRecorded(f"the recording of {header.hello.name!r} does not have {what}")
    fault.hint = (
        f"it was made by kit {header.kit} with --reedbackup-seed={header.seed}"
        f" --reedbackup-examples={header.examples}: give the same and choose"
        " the same cases, or record again with this kit (--reedbackup-record=FILE)"
    )
    return fault


def _again(fault: Fault) -> AdapterFault:
    """The fault that was recorded, as far as its kind is known."""
    kind = getattr(adapter_faults, fault.kind, AdapterFault)
    message = f"{fault.message} (when it was recorded)"
    if kind in (adapter_faults.TimedOut, adapter_faults.Crashed):
        again: AdapterFault = kind(message, fault.log)
        return again
    return AdapterFault(message, fault.log)
