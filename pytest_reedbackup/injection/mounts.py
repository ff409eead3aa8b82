"""File systems that are mounted for one case, to see what an implementation makes of them."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.model.failures import MissingCapability
from reedbase_backup.disk.mounts import all_mount_points

_TRIES = 20
_PAUSE_SECS = 0.01


class Mounts:
    """Mounts below one folder. Each raises MissingCapability where this machine cannot mount."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def points(self) -> list[str]:
        """Return the mount points below the folder, oldest first."""
        prefix = f"{os.path.realpath(self._folder)}/"
        return [path for path in mount_points() if path.startswith(prefix)]

    def move_to_tmpfs(self, path: Path) -> None:
        """Make the folder a file system of its own, with what was in it."""
        self._mount_with_content(path, ["-t", "tmpfs", "-o", "size=64m,mode=0700", "reedbackup"])

    def move_to_bind_mount(self, path: Path, elsewhere: Path) -> None:
        """Make the folder a mount of `elsewhere`, which holds what was in it, on the same disk."""
        elsewhere.mkdir()
        self._mount_with_content(path, ["--bind", str(elsewhere)])

    def move_to_lower_layer(self, path: Path, beside: Path) -> None:
        """Make the folder an overlay whose lower layer holds what was in it."""
        beside.mkdir()
        lower, layers = beside / "lower", beside / "layers"
        clone_tree(path, lower)
        layers.mkdir()
        _mount("mounts", True, "-t", "tmpfs", "-o", "size=64m", "reedbackup", str(layers))
        for name in ("upper", "work"):
            (layers / name).mkdir()
        folders = f"lowerdir={lower},upperdir={layers / 'upper'},workdir={layers / 'work'}"
        # Elsewhere a rename may be made to work, which is the easier case.
        options = f"{folders},redirect_dir=off"
        _mount("mounts", True, "-t", "overlay", "-o", options, "reedbackup", str(path))

    def _mount_with_content(self, path: Path, arguments: list[str]) -> None:
        content = path.with_name(f"{path.name} before")
        path.rename(content)
        path.mkdir()
        _mount("mounts", True, *arguments, str(path))
        for child in content.iterdir():
            if child.is_dir():
                clone_tree(child, path / child.name)
            else:
                shutil.copy2(child, path / child.name)
        shutil.copystat(content, path)
        shutil.rmtree(content)


@contextmanager
def file_system_in_memory(place: Path) -> Iterator[Path]:
    """Mount an empty file system at `place`. Raise MissingCapability where this machine cannot."""
    place.mkdir(parents=True, exist_ok=True)
    options = "size=16m,nr_inodes=4096"
    with unmounted_afterwards(place):
        _mount("mounts", True, "-t", "tmpfs", "-o", options, "reedbackup", str(place))
        yield place


@contextmanager
def mounts_below(folder: Path) -> Iterator[Mounts]:
    """Let mounts be made below `folder`; afterwards there is none, wherever they were moved."""
    mounts = Mounts(folder)
    try:
        yield mounts
    finally:
        with _interrupts_wait():
            # The last first: one may be in another.
            for path in reversed(mounts.points()):
                unmount(path)


@contextmanager
def unmounted_afterwards(place: Path) -> Iterator[None]:
    """Have nothing more be mounted at `place` after the block than before, however it ends."""
    path = os.path.realpath(place)
    before = mount_points().count(path)
    try:
        yield
    finally:
        with _interrupts_wait():
            for _ in range(mount_points().count(path) - before):
                unmount(path)


def run_uninterrupted(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a short command to its end; a Ctrl-C meanwhile is one after it.

    Ctrl-C goes to all processes of a terminal's group: an `umount` that it ends leaves a mount.
    """
    with _interrupts_wait():
        return subprocess.run(command, capture_output=True, text=True, check=False, process_group=0)


@contextmanager
def _interrupts_wait() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():  # which alone sees them
        yield
        return
    came: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
        if came:
            signal.raise_signal(signal.SIGINT)


def unmount(path: str) -> None:
    """Unmount what is at `path`; where somebody works in it still, as soon as they leave.

    A process that is just being started holds for a moment what this one has open. It is waited
    for: a disk must not be used again before it is no longer in use.
    """
    for _ in range(_TRIES):
        if not run_uninterrupted(["umount", path]).returncode:
            return
        time.sleep(_PAUSE_SECS)
    run_uninterrupted(["umount", "--lazy", path])


@contextmanager
def mounted_read_only(source: Path, target: Path, *, tool: bool = False) -> Iterator[Path]:
    """Mount the folder `source` at `target`, which may be the same, where nothing can be written.

    Raise MissingCapability, with `tool`, where this process may not mount, or where mounting
    read-only does not keep anybody from writing.
    """
    target.mkdir(exist_ok=True)
    capability = "read-only mounts"
    with unmounted_afterwards(target):
        _mount(capability, tool, "--bind", str(source), str(target))
        _mount(capability, tool, "-o", "remount,bind,ro", str(target))
        if not _is_read_only(target):
            raise MissingCapability(capability, "files can be made in one here", tool=True)
        yield target


def mount_points() -> list[str]:
    """Return all mount points, oldest first; none where no system tells them."""
    try:
        return all_mount_points()
    except FileNotFoundError:
        return []


def _mount(capability: str, tool: bool, *arguments: str) -> None:
    try:
        ended = run_uninterrupted(["mount", *arguments])
    except OSError as error:
        sentence = f"there is no program to mount one: {error.strerror}"
        raise MissingCapability(capability, sentence, tool=True) from error
    if ended.returncode:
        said = ended.stderr.strip() or f"exit status {ended.returncode}"
        sentence = f"only root may mount one to test with, and not everywhere: {said}"
        raise MissingCapability(capability, sentence, tool=tool)


def _is_read_only(folder: Path) -> bool:
    probe = folder / "probe"
    try:
        probe.touch()
    except OSError as error:
        return error.errno == errno.EROFS
    probe.unlink()
    return False
