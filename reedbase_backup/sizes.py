"""How many bytes of files and how many tables there are."""

from __future__ import annotations

import os
import stat


def live_bytes(base_path: str) -> int:
    """Return the sum of the sizes of all files in tables/ and indices/, by a look at each.

    What cannot be looked at does not count: whoever reads it says what is in the way.
    """
    return bytes_in(os.path.join(base_path, "tables"), os.path.join(base_path, "indices"))


def bytes_in(*paths: str) -> int:
    """Return the sum of the sizes of all files in these folders, as `live_bytes` does."""
    total = 0
    for path in paths:
        for folder, _, names in os.walk(path):
            for name in names:
                try:
                    found = os.lstat(os.path.join(folder, name))
                except OSError:
                    continue
                total += found.st_size if stat.S_ISREG(found.st_mode) else 0
    return total


def live_tables(base_path: str) -> int:
    """Return how many tables there are, as far as that can be seen."""
    try:
        with os.scandir(os.path.join(base_path, "tables")) as entries:
            return sum(entry.is_dir(follow_symlinks=False) for entry in entries)
    except OSError:
        return 0
