"""Trees that are removed, or made anew where they are, whatever is in the way."""

from __future__ import annotations

import os
import shutil
import stat
from contextlib import suppress
from pathlib import Path

from mutants.syncing import copy, settle_folder


def overwrite(live: Path, new: Path) -> None:
    """Makes `live` what `new` is, without a rename; none where there is no `new`."""
    if not is_folder(new):
        _remove_all(live)
        if is_there(new):
            copy(new, live)
        return
    if not is_folder(live):
        remove(live)
        live.mkdir(0o700)
    live.chmod(0o700)
    wanted = {child.name: child for child in new.iterdir()}
    for child in list(live.iterdir()):
        if child.name not in wanted or not (is_folder(child) and is_folder(wanted[child.name])):
            remove(child)
    for name, child in wanted.items():
        if is_folder(child):
            overwrite(live / name, child)
        else:
            copy(child, live / name)
    status = new.stat()
    settle_folder(live, stat.S_IMODE(status.st_mode), (status.st_atime, status.st_mtime))


def _remove_all(live: Path) -> None:
    """Removes a tree, but for what is a mount point, which can only be emptied."""
    if os.path.ismount(live):
        for child in list(live.iterdir()):
            remove(child)
    else:
        remove(live)


def is_folder(path: Path) -> bool:
    """Whether it is a folder itself, and no symlink to one."""
    return path.is_dir() and not path.is_symlink()


def is_there(path: Path) -> bool:
    """Whether there is anything; an error is no answer, as it would be for os.path.lexists."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def remove(path: Path) -> None:
    """Removes what is there, with folders that may not be written to; follows no symlink."""
    if not is_folder(path):
        path.unlink(missing_ok=True)
        return
    with suppress(FileNotFoundError):
        for folder, _, _ in os.walk(path):
            Path(folder).chmod(0o700)
        shutil.rmtree(path)
