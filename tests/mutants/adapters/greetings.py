"""Adapters with which no run begins: their hello is wrong, or does not come."""

from __future__ import annotations

import sys
import time

from mutants.adapters.adapter import Adapter, Reply


class Unusable(Adapter):
    """Base of the adapters with which no run begins: a usage error, in one line."""

    mutated_method = "hello"
    cause: str
    """A part of the reason that the harness gives."""


class SaysNothing(Unusable):
    """The process ends without hello."""

    cause = "exit status 0"

    def send_mutated(self, reply: Reply) -> None:
        sys.exit(0)


class FallsOver(Unusable):
    """The process crashes on hello."""

    cause = "no library found"

    def send_mutated(self, reply: Reply) -> None:
        raise RuntimeError("no library found")


class ThinksForever(Unusable):
    """hello is not answered."""

    cause = "no reply"

    def send_mutated(self, reply: Reply) -> None:
        time.sleep(3600)


class _Hello(Unusable):
    """Changes hello."""

    change: tuple[str, object]

    def send_mutated(self, reply: Reply) -> None:
        self.send(reply | {"result": reply["result"] | dict([self.change])})


class UnknownContract(_Hello):
    """hello claims a contract that there is not."""

    cause = "next"

    change = ("contracts", ["ticket", "next"])


class NoContract(_Hello):
    """hello claims no contract."""

    cause = "claims no contract"

    change: tuple[str, object] = ("contracts", [])


class ContractAsText(_Hello):
    """hello's contracts are one text."""

    cause = "contracts"

    change = ("contracts", "ticket")


class ProtocolTwo(_Hello):
    """hello speaks protocol 2."""

    cause = "protocol"

    change = ("protocol", 2)


class OneGreetingMore(_Hello):
    """hello has a field that the protocol does not know."""

    cause = "motto"

    change = ("motto", "safe is safe")


class HelloIsAnError(Unusable):
    """hello is answered with an error."""

    cause = "-32601"

    def send_mutated(self, reply: Reply) -> None:
        error = {"code": -32601, "message": "no method 'hello'"}
        self.send({"jsonrpc": "2.0", "id": reply["id"], "error": error})


class PrintsABanner(Unusable):
    """A banner comes before hello."""

    cause = "Welcome"

    def send_mutated(self, reply: Reply) -> None:
        self.write(b"=== Welcome ===\n")
        self.send(reply)
