"""The adapter speaks the protocol; pytest-reedbackup tests the rest: see README.md."""

import json
import subprocess
import sys
from pathlib import Path

ADAPTER = Path(__file__).with_name("adapter.py")


def test_it_says_hello_and_ends():
    requests = [
        {"jsonrpc": "2.0", "id": 1, "method": "hello", "params": {"protocol": 1}},
        {"jsonrpc": "2.0", "id": 2, "method": "shutdown", "params": {}},
    ]
    ended = subprocess.run(
        [sys.executable, ADAPTER],
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
    )
    hello, shutdown = map(json.loads, ended.stdout.splitlines())
    assert hello["result"]["protocol"] == 1
    assert shutdown["result"] == {"value": None}
    assert ended.returncode == 0
