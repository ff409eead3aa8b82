"""Whether there is a folder, where a failing disk must not be taken for a no."""

from __future__ import annotations

import os
import stat


def is_folder(path: str, *, follow_symlinks: bool = True) -> bool:
    """Whether a folder is at `path`.

    Raises OSError where that cannot be told, for which `os.path.isdir` says no.
    """
    try:
        mode = os.stat(path, follow_symlinks=follow_symlinks).st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError):
        # ValueError: no file system can have that path.
        return False
    return stat.S_ISDIR(mode)
