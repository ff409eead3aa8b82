"""The harness's side of the adapter protocol: typed calls, checked replies."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import msgspec

from pytest_reedbackup.implementations.answers import Answer, Answered, Refused
from pytest_reedbackup.implementations.transport import Transport
from pytest_reedbackup.model.adapter_faults import (
    AdapterFault,
    Misfit,
    ProtocolViolation,
    Unusable,
)
from pytest_reedbackup.model.failures import UnfitValue
from reedbase_backup.adapter import protocol, schemas
from reedbase_backup.adapter.protocol import Contract

# Where a call of an implementation fails, a user's test is to be shown, and not this file.
__tracebackhide__ = True

_NOT_OF: Mapping[type[ProtocolViolation], str] = {
    ProtocolViolation: "it is not of the protocol's shape",
    Misfit: "the value is not of its contract's type",
}


class Client:
    """One conversation with one adapter.

    Every call raises AdapterFault where the adapter breaks the protocol; the
    conversation is then over. It raises UnfitValue where the adapter says that
    the implementation returned what cannot be sent.
    """

    def __init__(self, transport: Transport, *, keeps_time: bool = True) -> None:
        """Talk over `transport`. `keeps_time`: elapsed_ns is of this run, at most what passed."""
        self._transport = transport
        self._keeps_time = keeps_time
        self._last_id = 0
        self.contracts: Sequence[Contract] = ()
        """What the implementation claims, as `hello` said."""

    def hello(self, timeout_secs: float) -> protocol.Hello:
        """Open the conversation, and return what the adapter says of itself."""
        with _named("hello"):
            raw = self._request("hello", {"protocol": protocol.VERSION}, timeout_secs)
            if isinstance(raw, protocol.ErrorObject):
                raise Unusable(f"answered with error {raw.code}: {raw.message}", self.log())
            hello: protocol.Hello = self._fit(raw, protocol.Hello)
            if not hello.contracts:
                raise Unusable("claims no contract", self.log())
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
        """Call one of the three functions on the database at `base`."""
        request = {"contract": contract, "base_path": str(base), **params}
        with _named(_signature(method, base, params)):
            started = time.perf_counter_ns()
            raw = self._request(method, request, timeout_secs)
            waited_ns = time.perf_counter_ns() - started
            answer = self._answer(raw, contract, method)
            if self._keeps_time and answer.elapsed_ns > waited_ns:
                self._violated(
                    f"elapsed_ns is {answer.elapsed_ns}, more than the {waited_ns} ns that passed"
                )
            return answer

    def shutdown(self, timeout_secs: float) -> None:
        """Ask the adapter to end, wait until it has, and end it where it does not."""
        with _named("shutdown"):
            try:
                raw = self._request("shutdown", {}, timeout_secs)
                if isinstance(raw, protocol.ErrorObject):
                    self._violated(f"error {raw.code} instead of an end")
                else:
                    self._fit(raw, protocol.ShutdownResult)
                self._transport.finish(timeout_secs)
            finally:
                self._transport.close()

    def log(self) -> str:
        """Return the last lines of the adapter's stderr."""
        return self._transport.log()

    def close(self) -> None:
        """End the adapter without a word."""
        self._transport.close()

    def _request(
        self, method: str, params: dict[str, Any], timeout_secs: float
    ) -> msgspec.Raw | protocol.ErrorObject:
        self._last_id += 1
        self._schema = schemas.reply_to(method, params.get("contract", ""))
        request = {"jsonrpc": "2.0", "id": self._last_id, "method": method, "params": params}
        self._line = self._transport.exchange(msgspec.json.encode(request), timeout_secs)
        reply: protocol.Reply = self._fit(self._line, protocol.Reply)
        if reply.id != self._last_id:
            self._violated(f"its id is {reply.id!r}, the request's was {self._last_id}")
        if isinstance(reply.error, protocol.ErrorObject):
            return reply.error
        assert isinstance(reply.result, msgspec.Raw)
        return reply.result

    def _answer(
        self, raw: msgspec.Raw | protocol.ErrorObject, contract: Contract, method: str
    ) -> Answer:
        if isinstance(raw, protocol.ErrorObject):
            if raw.code != protocol.IMPLEMENTATION_ERROR:
                self._violated(f"error code {raw.code} ({raw.message}) is not the implementation's")
            if not isinstance(raw.data, msgspec.Raw):
                self._violated(f"error {raw.code} without `data`")
            data: protocol.ErrorData = self._fit(raw.data, protocol.ErrorData)
            if data.kind == protocol.UNFIT_VALUE:
                fields = ", ".join(protocol.fields(contract, method))
                expected = f"a value of contract `{contract}`, of the fields {fields}"
                raise UnfitValue(f"the value of {method}", expected=expected, found=raw.message)
            return Refused(data.kind, data.fields, raw.message, data.elapsed_ns)
        result: protocol.CallResult = self._fit(raw, protocol.CallResult)
        return Answered(
            self._fit(result.value, protocol.VALUES[contract, method], Misfit), result.elapsed_ns
        )

    def _fit(
        self,
        raw: bytes | msgspec.Raw,
        expected: Any,
        misfit: type[ProtocolViolation] = ProtocolViolation,
    ) -> Any:
        try:
            return msgspec.json.decode(raw, type=expected)
        except msgspec.ValidationError as error:
            reason = f"{_NOT_OF[misfit]}:{self._all_that_is_wrong(error)}"
            raise misfit(reason, self._line, self.log()) from error
        except protocol.UNREADABLE as error:
            raise ProtocolViolation(str(error), self._line, self.log()) from error

    def _all_that_is_wrong(self, first: msgspec.ValidationError) -> str:
        """Return what is wrong with a reply, by the schema: decoding ended at the `first` thing."""
        # Only here, once an adapter is wrong: it takes a while to import.
        from reedbase_backup.adapter.schemas.complaints import complaints

        reply = json.loads(self._line)
        if not isinstance(reply, dict) or ("result" in reply) == ("error" in reply):
            return f" {first}"
        name = schemas.ERROR if "error" in reply else self._schema
        lines = complaints(name, reply) or [str(first)]
        lines.append(f"its schema: reedbackup adapter schema {name}")
        return "".join(f"\n    {line}" for line in lines)

    def _violated(self, reason: str) -> NoReturn:
        raise ProtocolViolation(reason, self._line, self.log())


@contextmanager
def _named(call: str) -> Iterator[None]:
    """Give a fault the name of the call that it happened in."""
    try:
        yield
    except AdapterFault as fault:
        fault.call = call
        raise


def _signature(method: str, base: Path, params: Mapping[str, int]) -> str:
    arguments = [f"base_path={str(base)!r}", *(f"{name}={value}" for name, value in params.items())]
    return f"{method}({', '.join(arguments)})"
