"""Adapters that answer a restore with lines that are no reply, or not the one due."""

from __future__ import annotations

import json

from mutants.adapters.adapter import Mutated, Reply

_MAX_LINE_BYTES = 64 * 2**20


class NoiseBefore(Mutated):
    """A line of log goes to stdout before the reply."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(b"INFO restoring\n")
        self.send(reply)


class NoiseAfter(Mutated):
    """A line of log goes to stdout after the reply."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(json.dumps(reply).encode() + b"\nINFO restored\n")


class RepliesTwice(Mutated):
    """The reply comes twice."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(2 * (json.dumps(reply).encode() + b"\n"))


class NextId(Mutated):
    """The reply has the id of the request to come."""

    def send_mutated(self, reply: Reply) -> None:
        self.send(reply | {"id": reply["id"] + 1})


class FirstId(Mutated):
    """The reply has the id of the first request."""

    def send_mutated(self, reply: Reply) -> None:
        self.send(reply | {"id": 1})


class IdAsText(Mutated):
    """The reply's id is text."""

    def send_mutated(self, reply: Reply) -> None:
        self.send(reply | {"id": str(reply["id"])})


class NoId(Mutated):
    """The reply has no id."""

    def send_mutated(self, reply: Reply) -> None:
        self.send({name: value for name, value in reply.items() if name != "id"})


class AnotherVersion(Mutated):
    """The reply is JSON-RPC 1.0."""

    def send_mutated(self, reply: Reply) -> None:
        self.send(reply | {"jsonrpc": "1.0"})


class Batch(Mutated):
    """The reply is a batch of one."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(json.dumps([reply]).encode() + b"\n")


class ResultAndError(Mutated):
    """The reply is a success and an error."""

    def send_mutated(self, reply: Reply) -> None:
        error = {"code": -32000, "message": "both"}
        self.send({"result": None, "error": error} | reply)


class NeitherResultNorError(Mutated):
    """The reply has nothing in it."""

    def send_mutated(self, reply: Reply) -> None:
        self.send({"jsonrpc": "2.0", "id": reply["id"]})


class OneMemberMore(Mutated):
    """The reply has a member that JSON-RPC does not know."""

    def send_mutated(self, reply: Reply) -> None:
        self.send(reply | {"took": "5 ms"})


class NotJson(Mutated):
    """The reply is Python's repr."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(repr(reply).encode() + b"\n")


class NotUtf8(Mutated):
    """The reply is Latin-1."""

    def send_mutated(self, reply: Reply) -> None:
        text = json.dumps(reply | {"jsonrpc": "2.0 für alle"}, ensure_ascii=False)
        self.write(text.encode("latin-1") + b"\n")


class OverManyLines(Mutated):
    """The reply is printed prettily."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(json.dumps(reply, indent=2).encode() + b"\n")


class EmptyLine(Mutated):
    """An empty line comes before the reply."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(b"\n")
        self.send(reply)


class LongLine(Mutated):
    """The reply is longer than 64 MiB."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(b" " * _MAX_LINE_BYTES)
        self.send(reply)


class InvalidParams(Mutated):
    """The adapter calls the request malformed."""

    def send_mutated(self, reply: Reply) -> None:
        error = {"code": -32602, "message": "target_timestamp must be an i64"}
        self.send({"jsonrpc": "2.0", "id": reply["id"], "error": error})


class UnknownCode(Mutated):
    """The error has a code that means nothing."""

    def send_mutated(self, reply: Reply) -> None:
        error = {"code": 5, "message": "I/O error"}
        self.send({"jsonrpc": "2.0", "id": reply["id"], "error": error})


class ErrorWithoutData(Mutated):
    """The error has no kind."""

    def send_mutated(self, reply: Reply) -> None:
        error = {"code": -32000, "message": "I/O error"}
        self.send({"jsonrpc": "2.0", "id": reply["id"], "error": error})
