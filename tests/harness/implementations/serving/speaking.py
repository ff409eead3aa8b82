"""What is said in the protocol to an adapter of the reference."""

from __future__ import annotations

import json
from typing import Any

from reedbase_backup.adapter.serving import Adapter


def ask(adapter: Adapter, line: object) -> Any:
    """Return the reply to a request, or to these bytes, as it is decoded."""
    sent = line if isinstance(line, bytes) else json.dumps(line).encode()
    return json.loads(adapter.answer(sent))


def request(method: object = "list_backups", **more: object) -> dict[str, object]:
    """Return a request that is right, but for `more`."""
    params = {"contract": "ticket", "base_path": "/no/such/base"}
    return {"jsonrpc": "2.0", "id": 7, "method": method, "params": params, **more}


def params(method: str, **more: object) -> dict[str, object]:
    """Return a request with these parameters beside the contract and the base."""
    return request(method, params={"contract": "ticket", "base_path": "/no/such/base", **more})


TARGET = "target_timestamp"

RESTORE = "restore_point_in_time"
