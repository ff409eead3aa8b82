"""The processes of an implementation: the one that was started, and those that it started."""

from __future__ import annotations

import os
from contextlib import suppress


def session(leader: int) -> list[int]:
    """Return the processes of a session, which an adapter and its children share."""
    processes = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            with suppress(ProcessLookupError):
                if os.getsid(int(name)) == leader:
                    processes.append(int(name))
    return processes
