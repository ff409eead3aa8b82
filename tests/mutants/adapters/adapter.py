"""An adapter that speaks the protocol as it should be spoken, with a place for one mutation."""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from mutants.conforming import Conforming
from mutants.model import ReedError

Reply = dict[str, Any]


class Adapter:
    """Serves the conforming implementation; `mutated_method` is answered by `send_mutated`."""

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
