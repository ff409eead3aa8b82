"""A starting file of declared divergences, with an entry for each broken promise."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
import tomli_w

from pytest_reedbackup.drift.rows import Drift
from pytest_reedbackup.model.divergences import Divergence
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.model.verdict import Result
from pytest_reedbackup.reports.writer import Writer

_HEADING = (
    "# Declared divergences. Put a reason of your own, and the id of a defect or an issue, in\n"
    "# the place of each TODO: before that the file is refused.\n"
)


class DivergencesFile(Writer):
    """A TOML file that is refused until each entry has a reason and an id of somebody's own."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._entries: list[Divergence] = []

    def case(self, outcome: CaseOutcome) -> None:
        """Keep a broken promise that nothing has been declared of."""
        if outcome.outcome is Outcome.FAIL and not outcome.divergence:
            first_line = (outcome.found.splitlines() or [""])[0]
            self._entries.append(
                Divergence(
                    outcome.implementation,
                    outcome.case_id,
                    f"TODO: found {first_line}",
                    outcome.defect or "TODO",
                )
            )

    def finish(self, results: Sequence[Result], drift: Drift | None) -> None:
        """Write the file."""
        # Entry by entry: short ones would become inline tables, below which no [[divergence]] can
        # be added by hand.
        entries = [
            f"\n[[divergence]]\n{tomli_w.dumps(msgspec.structs.asdict(entry))}"
            for entry in self._entries
        ]
        self._path.write_text("".join([_HEADING, *entries]), "utf-8")
