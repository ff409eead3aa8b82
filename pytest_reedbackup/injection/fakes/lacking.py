"""What a disk in memory does not have, refused and noted where it is asked for."""

from __future__ import annotations

import ctypes
import errno
import mmap
import subprocess
from typing import Any, NoReturn

import pytest


class Lacking:
    """What an implementation asked for that the fake disk does not have."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def refuse(self, name: str) -> NoReturn:
        """Note `name`, and raise what a system says that does not have it."""
        if name not in self.names:
            self.names.append(name)
        raise OSError(errno.ENOSYS, f"{name} is not to be had on a disk in memory")


def refuse_processes_and_libraries(lacking: Lacking, patch: pytest.MonkeyPatch) -> None:
    """Let nothing be started or loaded that would look for the fake disk on the real system."""

    def popen(*args: Any, **kwargs: Any) -> NoReturn:
        lacking.refuse("subprocess.Popen")

    def library(*args: Any, **kwargs: Any) -> NoReturn:
        lacking.refuse("ctypes.CDLL")

    def mapping(*args: Any, **kwargs: Any) -> NoReturn:
        lacking.refuse("mmap.mmap")

    patch.setattr(subprocess.Popen, "__init__", popen)
    patch.setattr(ctypes.CDLL, "__init__", library)
    patch.setattr(mmap, "mmap", mapping)
