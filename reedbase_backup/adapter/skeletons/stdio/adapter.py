"""An adapter for any command line: it answers pytest-reedbackup, and calls TOOL for each call.

TOOL create BASE, TOOL list BASE and TOOL restore BASE TARGET print what the function returns as
JSON and end with 0; or they print {"kind": …, "message": …, "fields": {…}} and end with 1.
"""

import json
import subprocess
import sys
import time
from pathlib import Path

TOOL = [str(Path(__file__).with_name("tool.sh"))]
ABOUT = {
    "protocol": 1,
    "name": "my-backup",
    "version": "0.1.0",
    "language": "a command",
    "contracts": ["ticket"],
    "capabilities": [],
}
COMMANDS = {
    "create_backup": "create",
    "list_backups": "list",
    "restore_point_in_time": "restore",
}


def called(method, params):
    """Return `result` or `error` of one call of TOOL."""
    target = [str(params["target_timestamp"])] if "target_timestamp" in params else []
    command = [*TOOL, COMMANDS[method], params["base_path"], *target]
    started = time.monotonic_ns()
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    taken = time.monotonic_ns() - started
    printed = json.loads(ended.stdout)
    if ended.returncode == 0:
        return {"result": {"value": printed, "elapsed_ns": taken}}
    data = {"kind": printed["kind"], "fields": printed["fields"], "elapsed_ns": taken}
    return {"error": {"code": -32000, "message": printed["message"], "data": data}}


def answered(request):
    """Return the reply to a request."""
    method, params = request["method"], request.get("params", {})
    if method == "hello":
        reply = {"result": ABOUT}
    elif method == "shutdown":
        reply = {"result": {"value": None}}
    elif method in COMMANDS:
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
