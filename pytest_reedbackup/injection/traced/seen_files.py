"""The files that a create makes, and to whom they are open while it runs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.implementations.answers import value_of
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.injection.traced.strace import OPENS, RENAMES
from pytest_reedbackup.injection.traced.system_calls import (
    CHANGING_MODES,
    MAKING_FOLDERS,
    STARTING,
    WRITING,
    SystemCall,
    traced,
)

_CREATING = frozenset({"O_CREAT", "O_TMPFILE"})
_OTHERS = 0o077


@dataclass
class SeenFile:
    """A file that was made.

    `mode` is its mode by now, `open_to` every permission that it had at any time while no folder
    kept others out, and `written` how many bytes were written to it.
    """

    path: str
    mode: int
    open_to: int = 0
    written: int = 0


def files_made_by_create(implementation: Implementation, base: Path, umask: int) -> list[SeenFile]:
    """Return the files that a create of `base`, which must succeed, makes under `umask`.

    Raise MissingCapability without strace.
    """

    def act(process: Served) -> None:
        value_of(process.create_backup(base), "create_backup under strace")

    names = (*MAKING_FOLDERS, *RENAMES, *CHANGING_MODES, *WRITING, *STARTING)
    seen = _Seen(umask)
    for call in traced(implementation, names, base, act):
        seen.add(call)
    return seen.files


class _Seen:
    """The files and folders that were made so far, by path."""

    def __init__(self, umask: int) -> None:
        self.files: list[SeenFile] = []
        self._at: dict[str, SeenFile] = {}
        self._folders: dict[str, int] = {}
        self._umask = umask
        self._umasks: dict[int, int] = {}

    def add(self, call: SystemCall) -> None:
        """Take a successful call into account."""
        if call.result < 0:
            return
        if call.name in STARTING:
            self._umasks[call.result] = self._umask_of(call.pid)
        elif call.name == "umask":
            self._umasks[call.pid] = call.mode or 0
        elif call.name in MAKING_FOLDERS:
            self._folders[call.paths[0]] = self._masked(call)
        elif call.name in OPENS:
            self._opened(call)
        elif call.name in WRITING:
            self._wrote(call)
        elif call.name in RENAMES:
            self._renamed(*call.paths[:2])
        elif call.name in CHANGING_MODES:
            self._changed(call.paths[0], call.mode or 0)

    def _umask_of(self, pid: int) -> int:
        return self._umasks.get(pid, self._umask)

    def _masked(self, call: SystemCall) -> int:
        return (call.mode or 0) & ~self._umask_of(call.pid)

    def _opened(self, call: SystemCall) -> None:
        if call.flags & _CREATING and call.opened not in self._at:
            made = SeenFile(call.opened, self._masked(call))
            self.files.append(made)
            self._at[call.opened] = made
            self._look(made)

    def _wrote(self, call: SystemCall) -> None:
        for path in call.paths:
            if path in self._at:
                self._at[path].written += call.result

    def _renamed(self, source: str, target: str) -> None:
        if source in self._folders:
            self._folders[target] = self._folders.pop(source)
        if source in self._at:
            moved = self._at[target] = self._at.pop(source)
            moved.path = target
            self._look(moved)

    def _changed(self, path: str, mode: int) -> None:
        if path in self._folders:
            self._folders[path] = mode
        if path in self._at:
            self._at[path].mode = mode
            self._look(self._at[path])

    def _look(self, file: SeenFile) -> None:
        """Note what a file's mode lets others do, unless a folder of the call keeps them out."""
        folder = os.path.dirname(file.path)
        while folder != os.path.dirname(folder):
            if folder in self._folders and not self._folders[folder] & _OTHERS:
                return
            folder = os.path.dirname(folder)
        file.open_to |= file.mode
