"""Fresh processes of a Python implementation, each forked from one that has the protocol loaded.

To start Python and load what serves an object takes ten times as long as most calls. What is
loaded ahead is this project's own, the implementations that come with it among that; any other
is loaded after the fork, so that nothing of it is shared by two processes. Run as a program it
forks for who holds the other end of a socket:

    python -m pytest_reedbackup.implementations.nursery IMPLEMENTATION FD

    +, with stdin, stdout and stderr   forks one that serves the implementation; answers its id
    =ID                                answers the exit status of one that ended
"""

from __future__ import annotations

import contextlib
import gc
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from typing import IO, NoReturn

_MESSAGE_BYTES = 64
_FORK, _STATUS = b"+", b"="


class Nursery:
    """Forks processes; they share its environment, and their working folder is its own."""

    def __init__(
        self, implementation: str, environment: Mapping[str, str], tracer: Sequence[str] = ()
    ) -> None:
        """Start it with `environment` beside this process's own, by a command if there is one."""
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._turn = threading.Lock()
        with theirs:
            self._process = subprocess.Popen(
                [*tracer, sys.executable, "-m", __name__, implementation, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                env={**os.environ, **environment},
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )

    def close(self) -> None:
        """End it; those that it forked end when their stdin does."""
        self._socket.close()
        self._process.wait()

    def fork(self, stderr: IO[bytes]) -> Forked:
        """Return a new process that serves the implementation, as `reedbackup serve` does."""
        stdin_read, stdin_write = os.pipe()
        stdout_read, stdout_write = os.pipe()
        theirs = [stdin_read, stdout_write, stderr.fileno()]
        try:
            with self._turn:
                socket.send_fds(self._socket, [_FORK], theirs)
                pid = self._answer()
        finally:
            os.close(stdin_read)
            os.close(stdout_write)
        return Forked(self, pid, os.fdopen(stdin_write, "wb", 0), os.fdopen(stdout_read, "rb", 0))

    def status(self, pid: int) -> int:
        """Return how a process has ended, as `subprocess.Popen.returncode` says it."""
        with self._turn:
            self._socket.send(b"%b%d" % (_STATUS, pid))
            return self._answer()

    def _answer(self) -> int:
        answer = self._socket.recv(_MESSAGE_BYTES)
        if not answer:
            raise OSError("the process that forks others has ended")
        return int(answer)


class Forked:
    """A process of a nursery, with what is used of `subprocess.Popen`."""

    def __init__(self, nursery: Nursery, pid: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self._nursery = nursery
        self._ended = os.pidfd_open(pid)
        self._status: int | None = None

    def poll(self) -> int | None:
        """Return its exit status; None while it runs."""
        if self._status is None and self._is_over(0):
            self._status = self._nursery.status(self.pid)
            os.close(self._ended)
        return self._status

    def wait(self, timeout: float | None = None) -> int:
        """Return its exit status. Raise TimeoutExpired where it still runs then."""
        if self._status is None and not self._is_over(timeout):
            raise subprocess.TimeoutExpired(str(self.pid), timeout or 0.0)
        status = self.poll()
        assert status is not None
        return status

    def _is_over(self, timeout: float | None) -> bool:
        polled = select.poll()
        polled.register(self._ended, select.POLLIN)
        return bool(polled.poll(None if timeout is None else timeout * 1000))


def _fork_on(asked: socket.socket, implementation: str) -> NoReturn:
    """Fork until nobody asks any more; in the new process, serve."""
    running: set[int] = set()
    while True:
        message, descriptors, _, _ = socket.recv_fds(asked, _MESSAGE_BYTES, 3)
        if not message:
            _let_go(running)
            sys.exit()
        if message.startswith(_STATUS):
            ended, waited = os.waitpid(int(message.removeprefix(_STATUS)), 0)
            running.discard(ended)
            asked.send(b"%d" % os.waitstatus_to_exitcode(waited))
            continue
        pid = os.fork()
        if pid == 0:
            asked.close()
            _serve(implementation, descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        running.add(pid)
        asked.send(b"%d" % pid)


def _let_go(running: set[int]) -> None:
    """Have them see that their stdin has ended: who halted one may have been killed."""
    for pid in running:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _serve(implementation: str, descriptors: list[int]) -> NoReturn:
    from reedbase_backup.cli.commands import main

    os.setsid()
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.exit(main(["serve", implementation]))


def _load_ahead(implementation: str) -> None:
    import reedbase_backup.adapter.serving
    import reedbase_backup.cli.commands
    import reedbase_backup.cli.subcommands.serve  # noqa: F401 - loaded ahead
    from reedbase_backup.adapter.loading import BUILT_IN

    if implementation in BUILT_IN:
        BUILT_IN[implementation]()
    gc.freeze()  # or each process would copy all of it at its end


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        _load_ahead(sys.argv[1])
        _fork_on(socket.socket(fileno=int(sys.argv[2])), sys.argv[1])
