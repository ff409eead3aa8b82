"""The adapter protocol for Python implementations, in process or over stdio."""

from __future__ import annotations

import os
import sys
import time
import traceback
from typing import Any, BinaryIO

import msgspec
from msgspec import UNSET

from reedbase_backup.adapter import protocol, schemas
from reedbase_backup.adapter.json_values import (
    Unsendable,
    error_fields,
    error_kind,
    error_text,
    says_its_kind,
    to_json_value,
)
from reedbase_backup.adapter.loading import (
    CLOCK,
    PythonImplementation,
    UnusableImplementation,
    load,
)
from reedbase_backup.adapter.protocol import Contract


class Adapter:
    """Answers protocol requests with an implementation."""

    def __init__(self, implementation: PythonImplementation) -> None:
        self._implementation = implementation
        self.is_shut_down = False
        """Whether `shutdown` was answered, after which the process is to end."""

    def answer(self, line: bytes) -> bytes:
        """Return the reply to one request, both as JSON without a line end."""
        request_id: int | str | None = None
        try:
            request = msgspec.json.decode(line, type=protocol.Request)
            request_id = request.id
            params = self._checked_params(request)
        except _Refused as refused:
            return _error(request_id, refused.code, str(refused))
        except msgspec.ValidationError as error:
            return _error(request_id, protocol.INVALID_REQUEST, f"not a request: {error}")
        except protocol.UNREADABLE as error:
            return _error(request_id, protocol.PARSE_ERROR, f"not JSON: {error}")
        if isinstance(params, protocol.HelloParams):
            return _result(request.id, self._hello())
        if isinstance(params, protocol.ShutdownParams):
            self.is_shut_down = True
            return _result(request.id, protocol.ShutdownResult(value=None))
        return self._call(request, params)

    def _hello(self) -> protocol.Hello:
        return protocol.Hello(
            protocol=protocol.VERSION,
            name=self._implementation.name,
            version=self._implementation.version,
            language="Python",
            contracts=list(self._implementation.contracts),
            capabilities=list(self._implementation.capabilities),
        )

    def _checked_params(self, request: protocol.Request) -> protocol.Message:
        params_type = protocol.PARAMS.get(request.method)
        if params_type is None:
            raise _Refused(protocol.METHOD_NOT_FOUND, f"no method {request.method!r}")
        try:
            params = msgspec.convert(request.params, params_type)
        except msgspec.ValidationError as error:
            raise _Refused(protocol.INVALID_PARAMS, f"{request.method}: {error}") from error
        if reason := self._reason_to_refuse(params):
            raise _Refused(protocol.INVALID_PARAMS, f"{request.method}: {reason}")
        return params

    def _reason_to_refuse(self, params: protocol.Message) -> str:
        """Return why well-formed params cannot be answered here; "" where they can."""
        if isinstance(params, protocol.HelloParams) and params.protocol != protocol.VERSION:
            return f"protocol {params.protocol} is not spoken here, only {protocol.VERSION}"
        if isinstance(params, protocol.BaseParams):
            if params.contract not in self._implementation.contracts:
                return f"{self._implementation.name} does not implement contract {params.contract}"
            told_time = isinstance(params, protocol.CreateParams) and params.now_ns is not UNSET
            if told_time and CLOCK not in self._implementation.capabilities:
                return f"`now_ns`: {self._implementation.name} has no capability {CLOCK!r}"
        return ""

    def _call(self, request: protocol.Request, params: protocol.Message) -> bytes:
        arguments = {
            name: value
            for name, value in msgspec.structs.asdict(params).items()
            if name != "contract" and value is not UNSET
        }
        contract: Contract = params.contract  # type: ignore[attr-defined]
        function = self._implementation.functions[request.method]
        started = time.perf_counter_ns()
        try:
            returned = function(**arguments)
            elapsed_ns = time.perf_counter_ns() - started
        except Exception as error:  # noqa: BLE001 - whatever it raises is its answer
            elapsed_ns = time.perf_counter_ns() - started
            return _implementation_error(request.id, error, elapsed_ns)
        try:
            value = _fitting(returned, contract, request.method)
        except Unsendable as unsendable:
            return _unfit(request, unsendable, elapsed_ns)
        return _result(request.id, {"value": value, "elapsed_ns": elapsed_ns})


def _fitting(returned: Any, contract: Contract, method: str) -> Any:
    """Return the value in JSON's types. Raise Unsendable where its contract has another type."""
    value = to_json_value(returned)
    try:
        msgspec.convert(value, protocol.VALUES[contract, method])
    except msgspec.ValidationError as error:
        raise _misfit(value, contract, method, error) from error
    return value


def _misfit(
    value: Any, contract: Contract, method: str, first: msgspec.ValidationError
) -> Unsendable:
    """Return all that is wrong with a value; decoding ended at the `first` thing."""
    # Only here: it takes a while to import.
    from reedbase_backup.adapter.schemas.complaints import complaints

    reply = {"jsonrpc": "2.0", "id": 0, "result": {"value": value, "elapsed_ns": 0}}
    reason, _, place = str(first).partition(" - at `$")
    lines = complaints(schemas.reply_to(method, contract), reply) or [reason]
    told = "; ".join(lines).replace("`result.value", "`value")
    return Unsendable(place.rstrip("`").lstrip("."), f"wrong: {told}")


def _unfit(request: protocol.Request, unsendable: Unsendable, elapsed_ns: int) -> bytes:
    """Return the error reply for a value that cannot be sent, and log why."""
    message = f"what {request.method} returned cannot be sent: {unsendable}"
    print(message, file=sys.stderr)
    fields = {"field": unsendable.field, "found": unsendable.found}
    data = {"kind": protocol.UNFIT_VALUE, "fields": fields, "elapsed_ns": elapsed_ns}
    return _error(request.id, protocol.IMPLEMENTATION_ERROR, message, data)


CLOSED = "stdin or stdout is closed; the harness starts this command with a pipe on each"


class _Refused(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _implementation_error(request_id: int | str, error: Exception, elapsed_ns: int) -> bytes:
    if not says_its_kind(error):
        # No ReedError: a bug as likely as an answer, so the log gets it whole.
        traceback.print_exception(error)
    message = error_text(error)
    data = {"kind": error_kind(error), "fields": error_fields(error), "elapsed_ns": elapsed_ns}
    return _error(request_id, protocol.IMPLEMENTATION_ERROR, message, data)


def _result(request_id: int | str, result: Any) -> bytes:
    return msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, "result": result})


def _error(
    request_id: int | str | None, code: int, message: str, data: dict[str, Any] | None = None
) -> bytes:
    error: dict[str, Any] = {"code": code, "message": message}
    if data is not None:
        error["data"] = data
    return msgspec.json.encode({"jsonrpc": "2.0", "id": request_id, "error": error})


def serve(name: str) -> None:
    """Answer requests from stdin on stdout until `shutdown` or the end of stdin.

    `name` is that of an implementation, as `load` takes it. What the
    implementation prints goes to stderr, from the import of its module on:
    stdout is the protocol's.

    Raise UnusableImplementation.
    """
    requests, replies = _claim_stdio()
    adapter = Adapter(load(name))
    while not adapter.is_shut_down and (line := requests.readline(protocol.MAX_LINE_BYTES + 1)):
        if len(line) > protocol.MAX_LINE_BYTES and not line.endswith(b"\n"):
            _skip_line(requests)
            reply = _error(None, protocol.PARSE_ERROR, "a line of more than 64 MiB")
        else:
            reply = adapter.answer(line)
        replies.write(reply + b"\n")
        replies.flush()


def _claim_stdio() -> tuple[BinaryIO, BinaryIO]:
    """Return the pipes of the protocol, out of the implementation's reach."""
    try:
        requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    except OSError as error:
        raise UnusableImplementation(CLOSED) from error
    # What it starts must not read requests.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    # To a file it would be kept back, and lost in a crash.
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    return requests, replies


def _skip_line(requests: BinaryIO) -> None:
    while (part := requests.readline(protocol.MAX_LINE_BYTES)) and not part.endswith(b"\n"):
        pass
