"""A call to which something happens in its midst."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_reedbackup.implementations.answers import Answer, value_of
from pytest_reedbackup.injection.traced.attached import Injection, attached
from pytest_reedbackup.injection.traced.points import Point, changes, inside_of
from pytest_reedbackup.injection.traced.system_calls import SystemCall, around, signals_in
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import BrokenPromise


@dataclass(frozen=True)
class Disturbed:
    """What came of it."""

    answer: Answer | None
    fault: AdapterFault | BrokenPromise | None
    """Why there is no answer, or none that is of the contract's type."""
    trace: Sequence[SystemCall]
    signals: frozenset[str]
    """Those that came to a process of the implementation."""

    def expect_success(self) -> None:
        """Raise why there is no answer, or BrokenPromise for an error: nothing was in its way."""
        if self.fault is not None:
            raise self.fault
        assert self.answer is not None
        value_of(self.answer, "an undisturbed call")

    def injected(self) -> list[SystemCall]:
        """Return the system calls that were made to fail."""
        return [call for call in self.trace if call.is_injected]

    def hit_others(self, folder: Path) -> bool:
        """Return whether one of them was about something outside the folder around the base.

        What then comes of it says nothing of what the implementation does when its disk fails:
        its adapter may not even have been able to answer.
        """
        inside = str(folder.resolve())
        return any(not inside_of(call, inside) for call in self.injected())

    def around(self, point: Point, folder: Path) -> list[str]:
        """Return what changed the disk last before the point, and right after it, a line each.

        Paths are relative to `folder`, the one around the base.
        """
        before: list[SystemCall] = []
        after: list[SystemCall] = []
        same = 0
        for call in self.trace:
            same += call.name == point.call
            if call.is_injected or changes(call):
                (after if same >= point.number else before).append(call)
        return around(before, point.id, after, folder)


def disturbed(
    pid: int,
    act: Callable[[], Answer],
    calls: Sequence[str],
    injection: Injection | None = None,
) -> Disturbed:
    """Have the process `pid` do what `act` asks of it under strace, and inject something into it.

    `calls` are the names of the system calls that are traced. Raise MissingCapability where
    strace is of no use.
    """
    answer: Answer | None = None
    fault: AdapterFault | BrokenPromise | None = None
    with attached(pid, calls, injection) as trace:
        try:
            answer = act()
        except (AdapterFault, BrokenPromise) as error:
            fault = error
    return Disturbed(answer, fault, trace.calls(), signals_in(trace.text()))
