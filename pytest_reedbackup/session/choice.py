"""Which cases a run is asked for."""

from __future__ import annotations

import difflib
import fnmatch
from collections.abc import Iterable
from dataclasses import dataclass

import pytest

from pytest_reedbackup.model.case import Case


@dataclass(frozen=True)
class Choice:
    """What --reedbackup-case and --reedbackup-faults choose."""

    patterns: tuple[str, ...] = ()
    """Ids and glob patterns; empty for all cases."""
    has_sweeps: bool = True

    @property
    def is_all(self) -> bool:
        """Return whether nothing is left out."""
        return not self.patterns and self.has_sweeps

    def has(self, case: Case | None) -> bool:
        """Return whether `case` is asked for; a test that is none is where nothing is named."""
        if case is None:
            return not self.patterns
        if case.is_sweep and not self.has_sweeps:
            return False
        return not self.patterns or self._names(case)

    def no_case_matches(self, cases: Iterable[Case]) -> pytest.UsageError:
        """Return the error that none of `cases` is asked for."""
        known = list(cases)
        named = " or ".join(self.patterns)
        if any(self._names(case) for case in known):
            return pytest.UsageError(
                f"--reedbackup-case: what matches {named} are sweeps, which --reedbackup-faults=off"
                " leaves out"
            )
        ids = [case.id for case in known]
        nearest = difflib.get_close_matches(named, ids, n=3, cutoff=0) or ["no case at all"]
        return pytest.UsageError(
            f"--reedbackup-case: no case matches {named};"
            f" the nearest that there is: {', '.join(nearest)}"
        )

    def _names(self, case: Case) -> bool:
        return any(fnmatch.fnmatchcase(case.id, pattern) for pattern in self.patterns)
