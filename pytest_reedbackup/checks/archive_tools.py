"""The programs gzip and tar, as judges of an archive, where they are fit to judge.

A program of that name may be a stub, broken, or of another kind: its word counts
only where it accepts a sound archive and refuses a damaged one.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from pytest_reedbackup.checks.expectations import expect_that
from pytest_reedbackup.databases.archives import file_member, folder_member, pack_members
from pytest_reedbackup.model.failures import MissingCapability

_COMMANDS = (("gzip", "-t"), ("tar", "tzf"))
"""What is run with the path of an archive as its last argument."""

Ended: TypeAlias = "subprocess.CompletedProcess[str]"

_PATIENCE_SECS = 60


def expect_accepted(archive: Path) -> None:
    """Raise BrokenPromise unless `gzip -t` and `tar tzf` accept the archive.

    Raise MissingCapability where a program is not there, or no judge.
    """
    for command in _COMMANDS:
        ended = _judge(command, archive)
        expect_that(
            ended.returncode == 0,
            f"`{' '.join(command)}` on the archive",
            expected="exit status 0",
            found=f"exit status {ended.returncode}: {ended.stderr.strip()}",
        )


def _judge(command: Sequence[str], archive: Path) -> Ended:
    program = shutil.which(command[0])
    if program is None:
        raise MissingCapability(command[0], "it is not installed", tool=True)
    if reason := _why_not(program, *command[1:]):
        raise MissingCapability(command[0], reason, tool=True)
    return _run([program, *command[1:]], archive)


def expect_gnu_tar() -> None:
    """Raise MissingCapability where the program `tar` is not GNU tar."""
    try:
        version = subprocess.run(["tar", "--version"], capture_output=True, text=True, check=False)
    except OSError as error:
        sentence = f"there is no tar: {error.strerror}"
        raise MissingCapability("GNU tar", sentence, tool=True) from error
    if "GNU tar" not in version.stdout:
        raise MissingCapability("GNU tar", "another tar says nothing of changing files", tool=True)


@functools.cache
def _why_not(program: str, *arguments: str) -> str:
    """Return why the program is no judge of archives; nothing where it is one."""
    with _specimens() as (sound, damaged):
        try:
            accepted = _run([program, *arguments], sound).returncode == 0
            refused = _run([program, *arguments], damaged).returncode != 0
        except OSError as error:
            return f"it cannot be run: {error.strerror}"
        except subprocess.TimeoutExpired:
            return f"it hangs for more than {_PATIENCE_SECS} s"
    if not accepted:
        return "it refuses a sound archive"
    return "" if refused else "it accepts a damaged archive"


@contextmanager
def _specimens() -> Iterator[tuple[Path, Path]]:
    """Yield a sound archive and one that is cut short."""
    with tempfile.TemporaryDirectory(prefix="reedbackup-") as folder:
        members = [folder_member("tables"), file_member("tables/one", bytes(range(256)))]
        sound = pack_members(Path(folder) / "sound.tar.gz", members)
        damaged = Path(folder) / "damaged.tar.gz"
        content = sound.read_bytes()
        damaged.write_bytes(content[: len(content) // 2])
        yield sound, damaged


def _run(command: Sequence[str], archive: Path) -> Ended:
    return subprocess.run(
        [*command, str(archive)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_PATIENCE_SECS,
        check=False,
    )
