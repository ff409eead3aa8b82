"""Adapters that answer a restore with a result that the contract does not know."""

from __future__ import annotations

from mutants.adapters.adapter import Mutated, Reply


class NoElapsedTime(Mutated):
    """The result lacks elapsed_ns."""

    def send_mutated(self, reply: Reply) -> None:
        self.send(reply | {"result": {"value": {}}})


class LongElapsedTime(Mutated):
    """elapsed_ns is longer than the harness waited."""

    def send_mutated(self, reply: Reply) -> None:
        value = {"tables_restored": 3, "total_bytes": 1, "duration_ms": 1}
        self.send(reply | {"result": {"value": value, "elapsed_ns": 10**12}})


class _Report(Mutated):
    """Changes the report."""

    change: tuple[str, object]

    def send_mutated(self, reply: Reply) -> None:
        report: Reply = {"tables_restored": 3, "total_bytes": 1, "duration_ms": 1}
        report |= dict([self.change])
        result = {"value": report, "elapsed_ns": 1}
        self.send({"jsonrpc": "2.0", "id": reply["id"], "result": result})


class OneFieldMore(_Report):
    """The report has a field that the ticket does not know."""

    change: tuple[str, object] = ("warnings", [])


class OneFieldLess(Mutated):
    """The report has no duration_ms."""

    def send_mutated(self, reply: Reply) -> None:
        del reply["result"]["value"]["duration_ms"]
        self.send(reply)


class SixtyFifthBit(_Report):
    """total_bytes is 2^64."""

    change = ("total_bytes", 2**64)


class Negative(_Report):
    """total_bytes is -1."""

    change = ("total_bytes", -1)


class Float(_Report):
    """tables_restored is 3.0."""

    change = ("tables_restored", 3.0)


class Text(_Report):
    """total_bytes is "1"."""

    change = ("total_bytes", "1")


class Null(_Report):
    """total_bytes is null."""

    change = ("total_bytes", None)


class Boolean(_Report):
    """tables_restored is true."""

    change = ("tables_restored", True)


class NotANumber(_Report):
    """duration_ms is NaN, which Python's json writes and JSON does not know."""

    change = ("duration_ms", float("nan"))
