"""Whoever waits for the lock on a base gets a turn."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from reedbase_backup import (
    create_backup,
)

pytestmark = pytest.mark.slow


BUSY = """
import sys
from reedbase_backup.disk.base_lock import base_locked
print("ready", flush=True)
while True:
    with base_locked(sys.argv[1]):
        import time
        time.sleep(0.01)
"""


def test_a_call_beside_eight_others_gets_its_turn(base: Path) -> None:
    others = [
        subprocess.Popen([sys.executable, "-c", BUSY, str(base)], stdout=subprocess.PIPE)
        for _ in range(8)
    ]
    try:
        for other in others:
            assert other.stdout is not None
            assert other.stdout.readline() == b"ready\n"
        waits = []
        for _ in range(5):
            started = time.monotonic()
            create_backup(base)
            waits.append(time.monotonic() - started)
    finally:
        for other in others:
            other.kill()
            other.communicate()
    # In line behind eight of 10 ms each, on a machine that may be slow.
    assert max(waits) < 3, waits
