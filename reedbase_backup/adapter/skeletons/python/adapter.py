"""An adapter: it answers pytest-reedbackup on stdin and stdout. Fill in the three functions."""

import json
import sys
import time

ABOUT = {
    "protocol": 1,
    "name": "my-backup",
    "version": "0.1.0",
    "language": "Python",
    "contracts": ["ticket"],
    "capabilities": [],
}


class Refused(Exception):
    """An error of the contract: its kind (`IoError`, `NoTablesFound`, …) with its fields."""

    def __init__(self, kind, message, **fields):
        super().__init__(message)
        self.kind, self.fields = kind, fields


def create_backup(base_path):
    """Return id, timestamp, size_bytes, table_count and compression ("gzip") of a new backup."""
    raise Refused("ToBeWritten", "create_backup is to be written", operation="create_backup")


def list_backups(base_path):
    """Return a list of what create_backup returns, newest first."""
    raise Refused("ToBeWritten", "list_backups is to be written", operation="list_backups")


def restore_point_in_time(base_path, target_timestamp):
    """Return tables_restored, total_bytes and duration_ms. The target is in Unix seconds."""
    raise Refused(
        "ToBeWritten", "restore_point_in_time is to be written", operation="restore_point_in_time"
    )


FUNCTIONS = {
    function.__name__: function for function in (create_backup, list_backups, restore_point_in_time)
}


def called(method, params):
    """Return `result` or `error` of one of the three functions."""
    params = {name: value for name, value in params.items() if name != "contract"}
    started = time.monotonic_ns()
    try:
        value = FUNCTIONS[method](**params)
        return {"result": {"value": value, "elapsed_ns": time.monotonic_ns() - started}}
    except Refused as error:
        taken = time.monotonic_ns() - started
        data = {"kind": error.kind, "fields": error.fields, "elapsed_ns": taken}
        return {"error": {"code": -32000, "message": str(error), "data": data}}


def answered(request):
    """Return the reply to a request."""
    method, params = request["method"], request.get("params", {})
    if method == "hello":
        reply = {"result": ABOUT}
    elif method == "shutdown":
        reply = {"result": {"value": None}}
    elif method in FUNCTIONS:
        reply = called(method, params)
    else:
        reply = {"error": {"code": -32601, "message": f"no method {method}"}}
    return {"jsonrpc": "2.0", "id": request["id"], **reply}


if __name__ == "__main__":
    for line in sys.stdin:  # it ends when stdin closes
        request = json.loads(line)
        print(json.dumps(answered(request)), flush=True)
        if request["method"] == "shutdown":
            break
