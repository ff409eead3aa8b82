"""An implementation without root's right to pass over permissions."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence

from pytest_reedbackup.model.failures import MissingCapability

# capabilities(7): what lets root read, write and search whatever the modes say.
_DROPPED = "-dac_override,-dac_read_search"


def bound_by_permissions() -> Sequence[str]:
    """Return what to start a command with, so that modes hold for it as for any owner of files.

    Nothing for who is not root. Raise MissingCapability where root cannot give up its rights.
    """
    if os.geteuid():
        return ()
    program = shutil.which("setpriv")
    if program is None:
        raise MissingCapability("setpriv", "it is not installed", tool=True)
    command = [program, f"--bounding-set={_DROPPED}", "--inh-caps=-all"]
    ended = subprocess.run([*command, "true"], capture_output=True, text=True, check=False)
    if ended.returncode:
        why = f"it cannot take rights from root here: {ended.stderr.strip()}"
        raise MissingCapability("setpriv", why, tool=True)
    return command
