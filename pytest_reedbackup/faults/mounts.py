"""File systems that are mounted to see what an implementation makes of them."""

from __future__ import annotations

import errno
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_reedbackup.failures import MissingCapability


@contextmanager
def mounted_read_only(source: Path, target: Path) -> Iterator[Path]:
    """The folder `source` at `target`, where nothing can be written.

    Raises MissingCapability where this process may not mount, or where mounting
    read-only does not keep anybody from writing.
    """
    target.mkdir()
    _mount("--bind", str(source), str(target))
    try:
        _mount("-o", "remount,bind,ro", str(target))
        if not _is_read_only(target):
            raise MissingCapability("read-only mounts", "files can be made in one here", tool=True)
        yield target
    finally:
        subprocess.run(["umount", str(target)], check=True)


def _mount(*arguments: str) -> None:
    try:
        ended = subprocess.run(["mount", *arguments], capture_output=True, check=False)
    except OSError as error:
        sentence = f"there is no program to mount one: {error.strerror}"
        raise MissingCapability("read-only mounts", sentence, tool=True) from error
    if ended.returncode:
        raise MissingCapability("read-only mounts", "only root may mount one to test with")


def _is_read_only(folder: Path) -> bool:
    probe = folder / "probe"
    try:
        probe.touch()
    except OSError as error:
        return error.errno == errno.EROFS
    probe.unlink()
    return False
