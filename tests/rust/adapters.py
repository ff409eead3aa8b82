"""Adapter processes, and types of the fixtures that make them."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

PATIENCE = 60.0
"""Seconds until an adapter that does not answer is killed (PROTOCOL.md: a call, 60 s)."""


class Adapter:
    """One adapter process."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._id = 0

    def line(self, line: bytes) -> dict[str, Any]:
        """Sends a line and reads the reply line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        return self.reply()

    def reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        try:
            text = self.process.stdout.readline()
        finally:
            timer.cancel()
        if not text:
            raise EOFError("the adapter closed stdout")
        reply = json.loads(text)
        assert isinstance(reply, dict)
        return reply

    def call(self, method: str, params: object) -> dict[str, Any]:
        """Calls a method and checks the reply's frame."""
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        reply = self.line(json.dumps(request).encode())
        outcome = "error" if "error" in reply else "result"
        assert set(reply) == {"jsonrpc", "id", outcome}
        assert (reply["jsonrpc"], reply["id"]) == ("2.0", self._id)
        return reply

    def value(self, method: str, **params: object) -> Any:
        """The value of a call that must succeed."""
        reply = self.call(method, _wire(params))
        assert "result" in reply, reply
        assert set(reply["result"]) == {"value", "elapsed_ns"}
        assert type(reply["result"]["elapsed_ns"]) is int
        return reply["result"]["value"]

    def error(self, method: str, **params: object) -> dict[str, Any]:
        """The implementation's error of a call that must fail."""
        error = self.call(method, _wire(params))["error"]
        assert set(error) == {"code", "message", "data"}
        assert error["code"] == -32000
        assert set(error["data"]) == {"kind", "fields", "elapsed_ns"}
        assert isinstance(error, dict)
        return error

    def close(self) -> tuple[int, str]:
        """Closes stdin and gives exit status and stderr."""
        _, log = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, log.decode("utf-8", "replace")


def _wire(params: dict[str, object]) -> dict[str, object]:
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in params.items()
    }


Tree = dict[str, tuple[int, bytes | None]]
"""Every path below a folder with its mode and, of files, its content."""

TakeSnapshot = Callable[[Path], Tree]


class Start(Protocol):
    """Starts an adapter: the executable, behind a command if one is given."""

    def __call__(self, *command: str | Path) -> Adapter: ...


class Build(Protocol):
    """Generates and builds an adapter, with options of `generate`."""

    def __call__(
        self, crate: Path, contract: Literal["ticket", "last"], **options: str
    ) -> Path: ...


class WriteCrate(Protocol):
    """Writes the files of a crate of this name."""

    def __call__(self, name: str, files: dict[str, str]) -> Path: ...
