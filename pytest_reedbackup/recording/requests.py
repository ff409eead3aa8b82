"""Requests and replies of the protocol, as a recording has them: with marks for paths."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from pytest_reedbackup.databases.held_locks import held_now
from pytest_reedbackup.implementations.json_outcomes import BASE_MARK
from pytest_reedbackup.recording.changes import folder_around
from pytest_reedbackup.recording.format import RecordedCall
from pytest_reedbackup.recording.state import digest
from reedbase_backup.adapter.protocol import METHODS

AROUND_MARK = "{around}"
"""Stands for the folder around the base in recorded texts."""


@dataclass(frozen=True)
class Request:
    """A call of a function, as the protocol carries it."""

    id: int
    method: str
    contract: str
    params: dict[str, int]
    base: Path

    @classmethod
    def read(cls, line: bytes) -> Request | None:
        """Return the call; None for `hello` and `shutdown`, which call no function."""
        request = msgspec.json.decode(line)
        if request["method"] not in METHODS:
            return None
        params = dict(request["params"])
        contract, base = params.pop("contract"), Path(params.pop("base_path"))
        return cls(request["id"], request["method"], contract, params, base)

    @property
    def around(self) -> Path:
        """Return the folder around the base. Raise Unrecordable where there is none."""
        return folder_around(self.base)

    def recorded(self) -> RecordedCall:
        """Return the call as a recording has it, still without an answer."""
        return RecordedCall(
            method=self.method, contract=self.contract, params=self.params, before=self._digest()
        )

    def _digest(self) -> str:
        """Return the digest of the base as it is now, and of the locks in it that others hold."""
        state = digest(self.base, self.around)
        held = {os.path.relpath(lock, self.base): how for lock, how in held_now().items()}
        if not held:
            return state
        return hashlib.sha256(f"{state} {sorted(held.items())}".encode()).hexdigest()[: len(state)]

    def marked(self, reply: Any) -> Any:
        """Return a reply with marks in place of the paths."""
        return _replaced(reply, [(str(self.base), BASE_MARK), (str(self.around), AROUND_MARK)])

    def unmarked(self, reply: Any) -> Any:
        """Return a recorded reply with this request's paths in place of the marks."""
        return _replaced(reply, [(BASE_MARK, str(self.base)), (AROUND_MARK, str(self.around))])


def _replaced(value: Any, texts: list[tuple[str, str]]) -> Any:
    """Return `value`, of JSON's types, with the first text of each pair replaced by the second."""
    match value:
        case str():
            for old, new in texts:
                value = value.replace(old, new)
            return value
        case dict():
            return {key: _replaced(item, texts) for key, item in value.items()}
        case list():
            return [_replaced(item, texts) for item in value]
    return value
