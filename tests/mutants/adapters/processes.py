"""Adapters whose process hangs, crashes or ends at a restore."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

from mutants.adapters.adapter import Mutated, Reply


class Hangs(Mutated):
    """No reply comes."""

    def send_mutated(self, reply: Reply) -> None:
        time.sleep(3600)


class HangsMidway(Mutated):
    """Half a reply comes."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(json.dumps(reply).encode()[:20])
        time.sleep(3600)


class HangsDeaf(Mutated):
    """No reply comes, and the process does not end when it is asked to."""

    def send_mutated(self, reply: Reply) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.stdin.close()
        time.sleep(3600)


class Crashes(Mutated):
    """An exception ends the process instead of a reply."""

    def send_mutated(self, reply: Reply) -> None:
        raise RuntimeError("lost in thought")


class CrashesMidway(Mutated):
    """An exception ends the process in the midst of a reply."""

    def send_mutated(self, reply: Reply) -> None:
        self.write(json.dumps(reply).encode()[:20])
        raise RuntimeError("lost in thought")


class Segfaults(Mutated):
    """A signal ends the process."""

    def send_mutated(self, reply: Reply) -> None:
        os.kill(os.getpid(), signal.SIGSEGV)


class ExitsQuietly(Mutated):
    """The process ends with status 0 instead of a reply."""

    def send_mutated(self, reply: Reply) -> None:
        sys.exit(0)


class ClosesStdout(Mutated):
    """stdout is closed, and the process lives on."""

    def send_mutated(self, reply: Reply) -> None:
        os.close(1)
        time.sleep(3600)


class ExitsAfterTheReply(Mutated):
    """The process ends after the reply, without a word."""

    def send_mutated(self, reply: Reply) -> None:
        self.send(reply)
        os._exit(0)


class LeavesAChild(Mutated):
    """The process ends, and a child of its own holds its stdout."""

    def send_mutated(self, reply: Reply) -> None:
        subprocess.Popen(["sleep", "3600"])
        os._exit(0)
