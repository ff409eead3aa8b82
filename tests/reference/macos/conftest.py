"""A Mac as far as the reference can see: other calls, of which some are missing."""

from __future__ import annotations

import builtins
import fcntl
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

F_FULLFSYNC = 51
"""As macOS numbers it."""


_OF_LINUX: Sequence[tuple[Any, Sequence[str]]] = (
    (os, ("sched_getaffinity", "getxattr", "listxattr", "copy_file_range", "memfd_create")),
    (os, ("O_PATH", "O_TMPFILE")),
    (fcntl, ("F_OFD_SETLK", "F_OFD_SETLKW")),
)
"""What no Mac has."""


class _Platform:
    """The module `sys` of a Mac."""

    platform = "darwin"

    def __getattr__(self, name: str) -> Any:
        return getattr(sys, name)


@dataclass
class Mac:
    """What was synced, as a drive sees it, and what its file system says to that."""

    full_syncs: list[str] = field(default_factory=list)
    """The paths, in the order of calls."""
    error: int = 0
    """What every full sync fails with; 0 where none does."""


def _missing(name: str) -> Callable[..., Any]:
    def call(*arguments: object, **named: object) -> Any:
        raise AssertionError(f"macOS has no {name}")

    return call


def _full_sync(mac: Mac) -> Callable[..., Any]:
    """Return the fcntl of a Mac."""
    control, read = fcntl.fcntl, os.readlink

    def controlled(descriptor: int, command: int, *argument: Any) -> Any:
        if command != F_FULLFSYNC:
            return control(descriptor, command, *argument)
        if mac.error:
            raise OSError(mac.error, os.strerror(mac.error))
        mac.full_syncs.append(read(f"/proc/self/fd/{descriptor}"))
        return 0

    return controlled


def _without_proc(call: Callable[..., Any]) -> Callable[..., Any]:
    def looked_up(path: Any, *arguments: Any, **named: Any) -> Any:
        if str(path).startswith("/proc/"):
            raise FileNotFoundError(2, "there is no /proc", path)
        return call(path, *arguments, **named)

    return looked_up


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> Mac:
    """Gives the reference a Mac in this process's place."""
    mac = Mac()
    for name, module in list(sys.modules.items()):
        if name.startswith("reedbase_backup.") and getattr(module, "sys", None) is sys:
            monkeypatch.setattr(module, "sys", _Platform())
    monkeypatch.setattr("reedbase_backup.disk.source_entries.TICK_NS", 10_000_000)
    monkeypatch.setattr(fcntl, "F_FULLFSYNC", F_FULLFSYNC, raising=False)
    monkeypatch.setattr(fcntl, "fcntl", _full_sync(mac))
    monkeypatch.setattr(builtins, "open", _without_proc(open))
    monkeypatch.setattr(os, "readlink", _without_proc(os.readlink))
    monkeypatch.setattr("ctypes.CDLL", _missing("syncfs"))
    for place, names in _OF_LINUX:
        for name in names:
            monkeypatch.delattr(place, name, raising=False)
    return mac
