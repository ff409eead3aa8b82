"""What is done before a turn, so that nobody pays for what others have written or freed.

A virtual machine may give free memory back to its host (virtio-balloon, free page reporting, two
seconds after it is freed); the next to use it waits for the host. Then a backup that copies 18 MB
took 94 ms instead of 47, and so did each turn for a while (Linux 6.18, Firecracker).
"""

from __future__ import annotations

from pathlib import Path

from pytest_reedbackup.databases.disk import sync

_AT_HAND = 1 << 27
"""In bytes: more than the largest database of the benchmark has."""


def settle(folder: Path) -> None:
    """Have all written to a folder's file system that is to be, and memory at hand."""
    sync(folder)
    have_at_hand(_AT_HAND)


def have_at_hand(size: int) -> None:
    """Have so many bytes of memory used once, which are free again then."""
    bytearray(b"\1") * size
