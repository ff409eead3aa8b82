"""The harness's side of the adapter protocol: typed calls, checked replies."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pytest_reedbackup.implementations.faults import Misfit, ProtocolViolation, Unusable
from pytest_reedbackup.implementations.transport import Transport
from reedbase_backup import protocol
from reedbase_backup.protocol import Contract


@dataclass(frozen=True, slots=True)
class Answered:
    """The implementation returned a value."""

    value: Any
    elapsed_ns: int
    untranslated: Any = None
    """The value in the implementation's own type, where `value` is a translation of it."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The implementation answered with an error of its own."""

    kind: str
    fields: dict[str, Any]
    message: str
    elapsed_ns: int

    def __str__(self) -> str:
        return f"error {self.kind}: {self.message}"


Answer = Answered | Refused


class Client:
    """One conversation with one adapter.

    Every call raises AdapterFault where the adapter breaks the protocol; the
    conversation is then over.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._last_id = 0
        self.contracts: Sequence[Contract] = ()
        """What the implementation claims, as `hello` said."""

    def hello(self, timeout_secs: float) -> protocol.Hello:
        """Opens the conversation."""
        raw = self._request("hello", {"protocol": protocol.VERSION}, timeout_secs)
        if isinstance(raw, protocol.ErrorObject):
            raise Unusable(f"it answered hello with error {raw.code}: {raw.message}", self.log())
        hello: protocol.Hello = self._fit(raw, protocol.Hello)
        if not hello.contracts:
            raise Unusable("its hello claims no contract", self.log())
        self.contracts = hello.contracts
        return hello

    def call(
        self,
        method: str,
        contract: Contract,
        base: Path,
        timeout_secs: float,
        **params: int,
    ) -> Answer:
        """Calls one of the three functions on the database at `base`."""
        request = {"contract": contract, "base_path": str(base), **params}
        started = time.perf_counter_ns()
        raw = self._request(method, request, timeout_secs)
        waited_ns = time.perf_counter_ns() - started
        answer = self._answer(raw, protocol.VALUES[contract, method])
        if answer.elapsed_ns > waited_ns:
            reason = (
                f"elapsed_ns is {answer.elapsed_ns}, more than the {waited_ns} ns that we waited"
            )
            raise ProtocolViolation(reason, self._line, self.log())
        return answer

    def shutdown(self, timeout_secs: float) -> None:
        """Asks the adapter to end, and ends it."""
        try:
            raw = self._request("shutdown", {}, timeout_secs)
            if not isinstance(raw, protocol.ErrorObject):
                self._fit(raw, protocol.ShutdownResult)
        finally:
            self._transport.close()

    def log(self) -> str:
        """The last lines of the adapter's stderr."""
        return self._transport.log()

    def close(self) -> None:
        """Ends the adapter without a word."""
        self._transport.close()

    def _request(
        self, method: str, params: dict[str, Any], timeout_secs: float
    ) -> msgspec.Raw | protocol.ErrorObject:
        self._last_id += 1
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self._line = self._transport.exchange(msgspec.json.encode(request), timeout_secs)
        reply: protocol.Reply = self._fit(self._line, protocol.Reply)
        if reply.id != self._last_id or isinstance(reply.id, bool):
            self._violated(f"its id is {reply.id!r}, the request's was {self._last_id}")
        if isinstance(reply.error, protocol.ErrorObject):
            return reply.error
        assert isinstance(reply.result, msgspec.Raw)
        return reply.result

    def _answer(self, raw: msgspec.Raw | protocol.ErrorObject, value_type: Any) -> Answer:
        if isinstance(raw, protocol.ErrorObject):
            if raw.code != protocol.IMPLEMENTATION_ERROR:
                self._violated(f"error code {raw.code} ({raw.message}) is not the implementation's")
            data: protocol.ErrorData = self._fit(raw.data, protocol.ErrorData)
            return Refused(data.kind, data.fields, raw.message, data.elapsed_ns)
        result: protocol.CallResult = self._fit(raw, protocol.CallResult)
        try:
            value = msgspec.json.decode(result.value, type=value_type)
        except msgspec.MsgspecError as error:
            raise Misfit(
                f"the value does not fit its contract: {error}", self._line, self.log()
            ) from error
        return Answered(value, result.elapsed_ns)

    def _fit(self, raw: bytes | msgspec.Raw, expected: Any) -> Any:
        try:
            return msgspec.json.decode(raw, type=expected)
        except msgspec.MsgspecError as error:
            raise ProtocolViolation(str(error), self._line, self.log()) from error

    def _violated(self, reason: str) -> None:
        raise ProtocolViolation(reason, self._line, self.log())
