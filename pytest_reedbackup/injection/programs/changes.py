"""A change of a database by any program or function, for something to happen in its midst."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import pytest

from pytest_reedbackup.implementations.answers import Answered
from pytest_reedbackup.injection.programs.waiting import Change, waiting
from pytest_reedbackup.injection.sweeps.disturbed import Disturbed, disturbed
from pytest_reedbackup.injection.sweeps.visiting import KILL
from pytest_reedbackup.injection.traced.attached import Injection
from pytest_reedbackup.injection.traced.points import CHANGING
from pytest_reedbackup.model.failures import BrokenPromise, Cause

Check: TypeAlias = Callable[[Path], object]
"""Takes the path of a database, and raises anything unless all is well with it."""


@dataclass(frozen=True)
class Checked:
    """A change, and what is to hold of what it leaves."""

    change: Change
    check: Check
    after_success: Check
    """What is to hold where it ended with success."""
    secs: float

    def disturbed(self, base: Path, injection: Injection | None) -> Disturbed:
        """Have a new process make the change."""
        with waiting(self.change, base, self.secs) as process:
            call = disturbed(process.pid, process.run, CHANGING, injection)
        if call.answer is None:
            return call
        # One that it had started was killed, and it went on: no power cut leaves that.
        return replace(call, signals=call.signals - {KILL})

    def expect_survived(self, base: Path, call: Disturbed) -> None:
        """Raise BrokenPromise where the check raises anything."""
        has_ended_well = isinstance(call.answer, Answered)
        check = self.after_success if has_ended_well else self.check
        try:
            check(base)
        except (Exception, pytest.fail.Exception) as error:  # whatever it raises is what it says
            when = "after its success" if has_ended_well else "after it"
            raise BrokenPromise(
                f"the database {when}",
                expected="no error of the check",
                found=f"{type(error).__name__}: {error}",
                cause=Cause.BEHAVIOUR,
            ) from error
