"""Python implementations behind the adapter protocol, in process or over stdio.

An implementation is any object with `create_backup`, `list_backups` and
`restore_point_in_time`. It may say more of itself by the attributes `name`,
`version`, `contracts` (default: only `ticket`) and `capabilities`; one with the
capability `clock` takes `now_ns` as a keyword of `create_backup`.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, BinaryIO

import msgspec

from reedbase_backup import protocol
from reedbase_backup.protocol import Contract

CLOCK = "clock"
"""The capability to be told the current time with each create_backup."""

METHODS = ("create_backup", "list_backups", "restore_point_in_time")


class UnusableImplementation(Exception):
    """The name does not lead to an implementation; the message says why."""


@dataclass(frozen=True)
class Implementation:
    """A Python implementation and what it says of itself."""

    name: str
    version: str
    contracts: tuple[Contract, ...]
    capabilities: tuple[str, ...]
    functions: Mapping[str, Callable[..., Any]]


def load(name: str) -> Implementation:
    """The implementation called `python`, `python-last` or `MODULE:OBJECT`.

    Raises UnusableImplementation.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]()
    module_name, colon, path = name.partition(":")
    if not colon or not path:
        raise UnusableImplementation(f"{name!r} is neither python, python-last nor MODULE:OBJECT")
    # As with `python -m`: what lies in the working folder can be named.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        found: Any = importlib.import_module(module_name)
        for attribute in path.split("."):
            found = getattr(found, attribute)
    except (ImportError, AttributeError) as error:
        raise UnusableImplementation(f"{name!r} cannot be loaded: {error}") from error
    return describe(found() if isinstance(found, type) else found, name)


def describe(implementation: Any, name: str) -> Implementation:
    """What an object says of itself. Raises UnusableImplementation."""
    missing = [method for method in METHODS if not callable(getattr(implementation, method, None))]
    if missing:
        raise UnusableImplementation(f"{name!r} has no function {missing[0]}")
    contracts = tuple(getattr(implementation, "contracts", ("ticket",)))
    if not contracts or not set(contracts) <= set(protocol.CONTRACTS):
        raise UnusableImplementation(
            f"{name!r} claims the contracts {contracts}; known: {protocol.CONTRACTS}"
        )
    return Implementation(
        name=str(getattr(implementation, "name", name)),
        version=str(getattr(implementation, "version", "unknown")),
        contracts=contracts,
        capabilities=tuple(getattr(implementation, "capabilities", ())),
        functions={method: getattr(implementation, method) for method in METHODS},
    )


def _reference() -> Implementation:
    import reedbase_backup
    from reedbase_backup.create import create_backup_at

    def create_backup(base_path: str, now_ns: int | None = None) -> Any:
        if now_ns is None:
            return reedbase_backup.create_backup(base_path)
        return create_backup_at(base_path, now_ns)

    functions = {method: getattr(reedbase_backup, method) for method in METHODS}
    return Implementation(
        name="python",
        version=version("pytest-reedbackup"),
        contracts=("ticket",),
        capabilities=(CLOCK,),
        functions=functions | {"create_backup": create_backup},
    )


def _port_of_the_baseline() -> Implementation:
    from reedbase_backup import last
    from reedbase_backup.last.create import create_backup_at

    def create_backup(base_path: str, now_ns: int | None = None) -> Any:
        if now_ns is None:
            return last.create_backup(base_path)
        return create_backup_at(base_path, now_ns)

    functions = {method: getattr(last, method) for method in METHODS}
    return Implementation(
        name="python-last",
        version=version("pytest-reedbackup"),
        contracts=("last",),
        capabilities=(CLOCK,),
        functions=functions | {"create_backup": create_backup},
    )


BUILT_IN: Mapping[str, Callable[[], Implementation]] = {
    "python": _reference,
    "python-last": _port_of_the_baseline,
}
"""The implementations that come with this package."""


class Adapter:
    """Answers protocol requests with an implementation."""

    def __init__(self, implementation: Implementation) -> None:
        self._implementation = implementation

    def answer(self, line: bytes) -> bytes:
        """The reply to one request, both as JSON without a line end."""
        request_id: int | str | None = None
        try:
            request = msgspec.json.decode(line, type=protocol.Request)
            request_id = request.id
            params = _checked_params(request)
        except _Refused as refused:
            return _error(request_id, refused.code, str(refused))
        except msgspec.ValidationError as error:
            return _error(request_id, protocol.INVALID_REQUEST, f"not a request: {error}")
        except msgspec.DecodeError as error:
            return _error(request_id, protocol.PARSE_ERROR, f"not JSON: {error}")
        if isinstance(params, protocol.HelloParams):
            return _result(request.id, self._hello())
        if isinstance(params, protocol.ShutdownParams):
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

    def _call(self, request: protocol.Request, params: protocol.Message) -> bytes:
        contract = params.contract  # type: ignore[attr-defined]
        if contract not in self._implementation.contracts:
            message = f"{self._implementation.name} does not implement contract {contract}"
            return _error(request.id, protocol.INVALID_PARAMS, message)
        arguments = {
            name: value
            for name, value in msgspec.structs.asdict(params).items()
            if name != "contract" and value is not None
        }
        function = self._implementation.functions[request.method]
        started = time.perf_counter_ns()
        try:
            value = function(**arguments)
        except Exception as error:  # noqa: BLE001 - whatever it raises is its answer
            elapsed_ns = time.perf_counter_ns() - started
            return _implementation_error(request.id, error, elapsed_ns)
        elapsed_ns = time.perf_counter_ns() - started
        plain = _plain(value)
        _warn_of_misfit(plain, contract, request.method)
        return _result(request.id, {"value": plain, "elapsed_ns": elapsed_ns})


def _warn_of_misfit(value: Any, contract: Contract, method: str) -> None:
    """Logs what the other side will refuse, while the cause is near."""
    try:
        msgspec.convert(value, protocol.VALUES[contract, method])
    except msgspec.ValidationError as error:
        print(f"the value of {method} does not fit contract {contract}: {error}", file=sys.stderr)


class _Refused(Exception):
    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


def _checked_params(request: protocol.Request) -> protocol.Message:
    params_type = protocol.PARAMS.get(request.method)
    if params_type is None:
        raise _Refused(protocol.METHOD_NOT_FOUND, f"no method {request.method!r}")
    try:
        params = msgspec.convert(request.params, params_type)
    except msgspec.ValidationError as error:
        raise _Refused(protocol.INVALID_PARAMS, f"{request.method}: {error}") from error
    if isinstance(params, protocol.HelloParams) and params.protocol != protocol.VERSION:
        message = f"protocol {params.protocol} is not spoken here, only {protocol.VERSION}"
        raise _Refused(protocol.INVALID_PARAMS, message)
    return params


def _plain(value: Any) -> Any:
    """A returned value as JSON types; what it is worth is for the schema to say."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str | os.PathLike):
        # A file name that is not UTF-8 has no other way through JSON.
        return os.fspath(value).encode("utf-8", "backslashreplace").decode()
    if isinstance(value, BaseException):
        return {"kind": _kind(value), **_fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return [_plain(item) for item in value]
    return {name: _plain(getattr(value, name)) for name in _field_names(value)} or repr(value)


def _field_names(value: Any) -> list[str]:
    """The names of a dataclass's, Struct's, named tuple's or plain object's fields."""
    for attribute in ("__dataclass_fields__", "__struct_fields__", "_fields", "__dict__"):
        if names := getattr(value, attribute, None):
            return list(names)
    return []


def _kind(error: BaseException) -> str:
    """The ReedError variant's name; for any other exception its class."""
    kind = getattr(error, "kind", None)
    return kind if isinstance(kind, str) else type(error).__name__


def _fields(error: BaseException) -> dict[str, Any]:
    fields = getattr(error, "fields", None)
    return (
        {str(name): _plain(item) for name, item in fields.items()}
        if isinstance(fields, Mapping)
        else {}
    )


def _implementation_error(request_id: int | str, error: Exception, elapsed_ns: int) -> bytes:
    if not hasattr(error, "kind"):
        # No ReedError: a bug as likely as an answer, so the log gets it whole.
        traceback.print_exception(error)
    message = _plain(str(error)) or _kind(error)
    data = {"kind": _kind(error), "fields": _fields(error), "elapsed_ns": elapsed_ns}
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


def serve(implementation: Implementation) -> None:
    """Answers requests from stdin on stdout until `shutdown` or the end of stdin.

    Whatever else the process prints goes to stderr: stdout is the protocol's.
    """
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    adapter = Adapter(implementation)
    while line := requests.readline(protocol.MAX_LINE_BYTES + 1):
        if len(line) > protocol.MAX_LINE_BYTES:
            reply = _error(None, protocol.PARSE_ERROR, "a line of more than 64 MiB")
            _skip_line(requests, line)
        else:
            reply = adapter.answer(line)
        replies.write(reply + b"\n")
        replies.flush()
        if _is_shutdown(line):
            return


def _skip_line(requests: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = requests.readline(protocol.MAX_LINE_BYTES)


def _is_shutdown(line: bytes) -> bool:
    try:
        return msgspec.json.decode(line, type=protocol.Request).method == "shutdown"
    except msgspec.DecodeError:
        return False
