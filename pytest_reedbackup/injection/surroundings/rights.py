"""An implementation without root's right to pass over permissions."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.injection.traced.served import served
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import MissingCapability

# capabilities(7): what lets root read, write and search whatever the modes say.
_DROPPED = "-dac_override,-dac_read_search"

_ANOTHER = 65533
"""The id of a user that owns nothing else; 65534 is nobody's."""


@dataclass(frozen=True)
class User:
    """Who calls an implementation."""

    command: Sequence[str]
    """What to start it with."""
    number: int | None = None
    """The id of the user; None for who starts it."""

    def own(self, base: Path) -> None:
        """Give the user the database, and the folder around it."""
        if self.number is None:
            return
        for path in [base.parent, base, *base.rglob("*")]:
            os.chown(path, self.number, self.number, follow_symlinks=False)


def another_user(implementation: Implementation, place: Path) -> User:
    """Return a user that is not root, can start the implementation, and get to `place`.

    Where there is none, it is root without the right to pass over permissions. Raise
    MissingCapability where root cannot give up its rights.
    """
    if os.geteuid():
        return User(())
    ids = [f"--reuid={_ANOTHER}", f"--regid={_ANOTHER}", "--clear-groups"]
    user = User([_setpriv(), *ids], _ANOTHER)
    if all(folder.stat().st_mode & stat.S_IXOTH for folder in (place, *place.parents)):
        with suppress(AdapterFault), served(implementation, tracer=user.command):
            return user
    return User(bound_by_permissions())


def bound_by_permissions() -> Sequence[str]:
    """Return what to start a command with, so that modes hold for it as for any owner of files.

    Nothing for who is not root. Raise MissingCapability where root cannot give up its rights.
    """
    if os.geteuid():
        return ()
    command = [_setpriv(), f"--bounding-set={_DROPPED}", "--inh-caps=-all"]
    ended = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if ended.returncode:
        why = f"it cannot take rights from root here: {ended.stderr.strip()}"
        raise MissingCapability("setpriv", why, tool=True)
    return command


def _setpriv() -> str:
    program = shutil.which("setpriv")
    if program is None:
        raise MissingCapability("setpriv", "it is not installed", tool=True)
    return program
