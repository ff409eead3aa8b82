"""How a test's function ended in another process, as one line of JSON."""

from __future__ import annotations

from typing import Self

import msgspec
import pytest
from msgspec import Struct

from pytest_reedbackup.model.failures import (
    BrokenPromise,
    Cause,
    MissingCapability,
)
from pytest_reedbackup.model.sweep import Sweep
from pytest_reedbackup.session.attempts import SWEPT, TOOK_SECS


class _Broken(Struct, frozen=True, tag=True):
    what: str
    expected: str
    found: str
    cause: Cause
    difference: tuple[str, ...]
    symptom: str
    notes: list[str]

    def error(self) -> BrokenPromise:
        broken = BrokenPromise(
            self.what,
            expected=self.expected,
            found=self.found,
            cause=self.cause,
            difference=self.difference,
            alike=self.symptom,
        )
        for note in self.notes:
            broken.add_note(note)
        return broken


class _Missing(Struct, frozen=True, tag=True):
    capability: str
    sentence: str
    tool: bool

    def error(self) -> MissingCapability:
        return MissingCapability(self.capability, self.sentence, tool=self.tool)


class FunctionEnding(Struct, frozen=True):
    """What is known of a test once its function has ended as the kit has it end."""

    node_id: str
    error: _Broken | _Missing | None
    sweep: Sweep | None
    properties: list[tuple[str, str]]
    took_secs: float

    @classmethod
    def of(cls, item: pytest.Item, error: BaseException | None, took_secs: float) -> Self | None:
        """Return it; None for an error that only the process that raised it can show."""
        ended: _Broken | _Missing | None = None
        if isinstance(error, BrokenPromise):
            notes = list(getattr(error, "__notes__", ()))
            ended = _Broken(
                error.what,
                error.expected,
                error.found,
                error.cause,
                error.difference,
                error.symptom,
                notes,
            )
        elif isinstance(error, MissingCapability):
            ended = _Missing(error.capability, error.sentence, error.tool)
        elif error is not None:
            return None
        properties = [(name, str(value)) for name, value in item.user_properties]
        return cls(item.nodeid, ended, item.stash.get(SWEPT, None), properties, took_secs)

    @classmethod
    def read(cls, line: bytes) -> Self:
        """Return what `line` says."""
        return msgspec.json.decode(line, type=cls)

    def line(self) -> bytes:
        """Return it as a line."""
        return msgspec.json.encode(self) + b"\n"

    def replay(self, item: pytest.Item) -> None:
        """Have it be so with `item` in this process: raise what was raised."""
        item.stash[TOOK_SECS] = self.took_secs
        if self.sweep is not None:
            item.stash[SWEPT] = self.sweep
        item.user_properties += self.properties
        if self.error is not None:
            raise self.error.error()
