"""The command as a process of its own at a terminal, and what that shows."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

COMMAND = (sys.executable, "-m", "reedbase_backup")

_PATIENCE_S = 30


class Shown(NamedTuple):
    """How a command ended, and what the terminal has of it: stdout and stderr alike."""

    status: int
    text: str


def at_terminal(
    *arguments: object,
    columns: int = 80,
    typed: Mapping[str, str] | None = None,
    env: Mapping[str, str] | None = None,
    command: Sequence[str] = COMMAND,
) -> Shown:
    """Run the command at a terminal; `typed` is what is typed once the terminal shows its key."""
    primary, secondary = pty.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
    child = subprocess.Popen(
        [*command, *map(str, arguments)],
        stdin=secondary,
        stdout=secondary,
        stderr=secondary,
        env=environment | {"TERM": "xterm-256color"} | dict(env or {}),
        # The terminal is its own, so that Ctrl-C reaches it.
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(secondary)
    try:
        text = _read(primary, dict(typed or {}))
        return Shown(child.wait(_PATIENCE_S), text)
    finally:
        child.kill()
        child.wait()
        os.close(primary)


def _read(primary: int, typed: dict[str, str]) -> str:
    """Return all that is shown until the command has ended, and type what is due."""
    shown, deadline = b"", time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline:
        if not select.select([primary], [], [], 1)[0]:
            continue
        try:
            chunk = os.read(primary, 1 << 16)
        except OSError:
            # Linux says EIO when the last process has let go of the terminal.
            break
        if not chunk:
            break
        shown += chunk
        for prompt in [prompt for prompt in typed if prompt.encode() in shown]:
            os.write(primary, typed.pop(prompt).encode())
    return shown.decode(errors="replace").replace("\r\n", "\n")
