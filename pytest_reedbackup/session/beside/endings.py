"""How a test's function ended in another process, as one line of JSON."""

from __future__ import annotations

from typing import Self

import msgspec
import pytest
from msgspec import Struct

from pytest_reedbackup.model.adapter_faults import (
    AdapterFault,
    Crashed,
    Misfit,
    ProtocolViolation,
    TimedOut,
    Unusable,
)
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


Section = tuple[str, str]
"""What was printed or logged while the function ran: to what, and the text."""

_FAULTS = {kind.__name__: kind for kind in (Unusable, ProtocolViolation, Misfit, TimedOut, Crashed)}


class _Fault(Struct, frozen=True, tag=True):
    kind: str
    words: str
    state: dict[str, str | int | None]

    def error(self) -> AdapterFault:
        kind = _FAULTS[self.kind]
        # As it is, and not made anew: some kinds make their words of other things.
        fault = kind.__new__(kind, self.words)
        vars(fault).update(self.state)
        return fault


class FunctionEnding(Struct, frozen=True):
    """What is known of a test once its function has ended, if it ended as the kit has it end."""

    node_id: str
    is_known: bool = False
    """False where it did not run, or raised what only the process that raised it can show."""
    error: _Broken | _Missing | _Fault | None = None
    sweep: Sweep | None = None
    properties: list[tuple[str, str]] = []
    sections: list[Section] = []
    took_secs: float = 0.0

    @classmethod
    def of(
        cls,
        item: pytest.Item,
        error: BaseException | None,
        sections: list[Section],
        took_secs: float,
    ) -> Self:
        """Return it for a function that has run, and raised `error` or nothing."""
        ended: _Broken | _Missing | _Fault | None = None
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
        elif type(error).__name__ in _FAULTS and isinstance(error, AdapterFault):
            ended = _Fault(type(error).__name__, error.args[0], vars(error).copy())
        elif error is not None:
            return cls(item.nodeid)
        properties = [(name, str(value)) for name, value in item.user_properties]
        swept = item.stash.get(SWEPT, None)
        return cls(item.nodeid, True, ended, swept, properties, sections, took_secs)

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
        for name, text in self.sections:
            item.add_report_section("call", name, text)
        if self.error is not None:
            raise self.error.error()
