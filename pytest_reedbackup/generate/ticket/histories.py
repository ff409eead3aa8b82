"""Generated histories: changes and backups at chosen times, then restores around the edges."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st

from pytest_reedbackup.generate.ticket.model import Model
from pytest_reedbackup.generate.ticket.steps import Step, changes

EPOCH = 1_700_000_000


@dataclass(frozen=True)
class Chapter:
    """A few changes, and the backup that follows them."""

    changes: tuple[Step, ...]
    seconds_later: int
    """From the backup before; 0 is the same second, less is a clock that went back."""


@dataclass(frozen=True)
class History:
    """Backups with changes between, and the restores that are asked for at the end.

    `restores` choose among the edge targets, by position from the newest.
    """

    chapters: tuple[Chapter, ...]
    restores: tuple[int, ...]

    def play(self, model: Model) -> None:
        """Make all changes, backups and restores; the model checks every step."""
        now = EPOCH
        for chapter in self.chapters:
            for change in chapter.changes:
                change.apply(model.base)
            now += chapter.seconds_later
            model.create(now)
        for choice in self.restores:
            targets = model.edge_targets()
            model.restore(targets[-1 - choice % len(targets)])


_chapters = st.builds(
    Chapter,
    changes=st.lists(changes, max_size=3).map(tuple),
    seconds_later=st.sampled_from([1, 0, 2, 60, -1, -60, 2**31]),
)

histories: st.SearchStrategy[History] = st.builds(
    History,
    chapters=st.lists(_chapters, min_size=1, max_size=5).map(tuple),
    restores=st.lists(st.integers(0, 40), min_size=1, max_size=4).map(tuple),
)
"""Histories of one to five backups and one to four restores."""

clock_walks: st.SearchStrategy[list[int]] = st.lists(
    st.sampled_from([0, 1, 1, 5, -1, -40]), min_size=34, max_size=40
)
"""Times between so many backups that retention must choose among them."""
