"""Replies that are there before anybody asks, and calls that get them."""

from __future__ import annotations

import json
import time
from typing import Any

from harness.implementations.calls import BASE

from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.implementations.client import Client
from reedbase_backup.types import U64_MAX

BACKUP = {"id": "5", "timestamp": 5, "size_bytes": 9, "table_count": 2, "compression": "gzip"}

REPORT = {"tables_restored": 2, "total_bytes": 9, "duration_ms": 1}

LAST_BACKUP = {"timestamp": 5, "path": "/b/5.tar.gz", "size_bytes": 9, "size_mb": 0.5}

LAST_REPORT: dict[str, Any] = {
    "target_timestamp": 5,
    "tables_restored": [["text", 4]],
    "tables_skipped": ["routes"],
    "errors": [["users", {"kind": "LogCorrupted", "reason": "no number"}]],
}


class Canned:
    """A transport that replies what the test says; `$ID` is the request's id."""

    def __init__(self, reply: str | bytes) -> None:
        self._reply = reply.encode() if isinstance(reply, str) else reply
        self.requests: list[Any] = []
        self.is_closed = False

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        self.requests.append(json.loads(request))
        time.sleep(0.000_1)
        return self._reply.replace(b"$ID", str(self.requests[-1]["id"]).encode())

    def finish(self, timeout_secs: float) -> None:
        self.close()

    def log(self) -> str:
        return "    it said this"

    def close(self) -> None:
        self.is_closed = True


def call(
    reply: str | bytes, method: str = "restore_point_in_time", contract: str = "ticket"
) -> Answer:
    params = {"target_timestamp": U64_MAX} if method == "restore_point_in_time" else {}
    return Client(Canned(reply)).call(method, contract, BASE, 1.0, **params)  # type: ignore[arg-type]


def value(value: object, **more: object) -> str:
    result = {"value": value, "elapsed_ns": 1, **more}
    return json.dumps({"jsonrpc": "2.0", "id": "$ID", "result": result}).replace('"$ID"', "$ID")


def error(data: object, code: int = -32000, **more: object) -> str:
    error = {"code": code, "message": "no", "data": data, **more}
    return json.dumps({"jsonrpc": "2.0", "id": "$ID", "error": error}).replace('"$ID"', "$ID")
