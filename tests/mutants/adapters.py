"""Adapters that break the protocol: `python -m mutants.adapters NAME` serves one.

Behind each is the conforming implementation, and of its calls only restores are
answered wrongly: the rest of the suite must not suffer. An adapter that fails is
never an implementation that broke its promise, so the outcome is `error`.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import Any

from mutants.conforming import Conforming
from mutants.model import ReedError

Reply = dict[str, Any]
_MAX_LINE_BYTES = 64 * 2**20


class Adapter:
    """Speaks the protocol as it should be spoken."""

    mutated_method = "restore_point_in_time"

    def __init__(self) -> None:
        self._implementation = Conforming()

    def serve(self) -> None:
        for line in sys.stdin.buffer:
            request = json.loads(line)
            reply = self.reply(request)
            if request["method"] == self.mutated_method:
                self.send_mutated(reply)
            else:
                self.send(reply)
            if request["method"] == "shutdown":
                return

    def send_mutated(self, reply: Reply) -> None:
        """Send something else than the reply, or nothing, or end."""
        self.send(reply)

    def send(self, reply: Reply) -> None:
        self.write(json.dumps(reply).encode() + b"\n")

    def write(self, data: bytes) -> None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def reply(self, request: Reply) -> Reply:
        reply: Reply = {"jsonrpc": "2.0", "id": request["id"]}
        if request["method"] == "hello":
            return reply | {"result": self.hello()}
        if request["method"] == "shutdown":
            return reply | {"result": {"value": None}}
        arguments = {n: value for n, value in request["params"].items() if n != "contract"}
        started = time.monotonic_ns()
        try:
            value = getattr(self._implementation, request["method"])(**arguments)
        except ReedError as error:
            elapsed_ns = time.monotonic_ns() - started
            data = {"kind": error.kind, "fields": error.fields, "elapsed_ns": elapsed_ns}
            return reply | {"error": {"code": -32000, "message": str(error), "data": data}}
        elapsed_ns = time.monotonic_ns() - started
        plain = [i._asdict() for i in value] if isinstance(value, list) else value._asdict()
        return reply | {"result": {"value": plain, "elapsed_ns": elapsed_ns}}

    def hello(self) -> Reply:
        return {
            "protocol": 1,
            "name": type(self).__name__,
            "version": "1",
            "language": "Python",
            "contracts": ["ticket"],
            "capabilities": list(self._implementation.capabilities),
        }


class Mutated(Adapter):
    """Base of the adapters that break the protocol once they are running."""


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


class Hangs(Mutated):
    """No reply comes."""

    def send_mutated(self, reply: Reply) -> None:
        time.sleep(3600)


class HangsMidway(Mutated):
    """Half a reply comes."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(json.dumps(reply).encode()[:20])
        time.sleep(3600)


class HangsDeaf(Mutated):
    """No reply comes, and the process does not end when it is asked to."""

    def send_mutated(self, reply: Reply) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.stdin.close()
        time.sleep(3600)


class Crashes(Mutated):
    """An exception ends the process instead of a reply."""

    def send_mutated(self, reply: Reply) -> None:
        raise RuntimeError("lost in thought")


class CrashesMidway(Mutated):
    """An exception ends the process in the midst of a reply."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(json.dumps(reply).encode()[:20])
        raise RuntimeError("lost in thought")


class Segfaults(Mutated):
    """A signal ends the process."""

    def send_mutated(self, reply: Reply) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


class ExitsQuietly(Mutated):
    """The process ends with status 0 instead of a reply."""

    def send_mutated(self, reply: Reply) -> None:
        sys.exit(0)


class ClosesStdout(Mutated):
    """stdout is closed, and the process lives on."""

    def send_mutated(self, reply: Reply) -> None:
        os.close(1)
        time.sleep(3600)


class ExitsAfterTheReply(Mutated):
    """The process ends after the reply, without a word."""

    def send_mutated(self, reply: Reply) -> None:
        self.send(reply)
        os._exit(0)


class LeavesAChild(Mutated):
    """The process ends, and a child of its own holds its stdout."""

    def send_mutated(self, reply: Reply) -> None:
        subprocess.Popen(["sleep", "3600"])
        os._exit(0)


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


# Conforming ones -------------------------------------------------------------------


class Chatty(Adapter):
    """Writes a megabyte to stderr with every reply, and JSON in its own way; nothing is wrong."""

    mutated_method = "every method"

    def send(self, reply: Reply) -> None:
        sys.stderr.write("DEBUG all is well\n" * 60_000)
        sys.stderr.flush()
        shuffled = dict(reversed(reply.items()))
        text = json.dumps(shuffled, separators=(" , ", " : "), ensure_ascii=False)
        self.write(b"  " + text.encode("utf-8", "backslashreplace") + b"\t\r\n")


if __name__ == "__main__":
    globals()[sys.argv[1]]().serve()
