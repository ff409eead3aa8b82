"""Strategies for obstacles: what is in the place of what a call of contract `last` opens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from pytest_reedbackup.generate.last.obstacles import Obstacle, ObstacleKind

TEMPORARY = ("rollback.tmp", "rollback_1.tmp", "rollback_2.tmp", "current.new.tmp")
"""What the baseline calls its temporary files."""
_KINDS: tuple[ObstacleKind, ...] = get_args(ObstacleKind)
_OF_THE_BASE = (
    "registry/users.dict",
    "registry",
    "backups",
    "tables",
    "registry/actions.dict",
    "indices",
)

base_obstacles: SearchStrategy[tuple[Obstacle, ...]] = st.lists(
    st.builds(Obstacle, st.sampled_from(_OF_THE_BASE), st.sampled_from(["missing", "other-file"]))
    | st.builds(Obstacle, st.sampled_from(_OF_THE_BASE), st.sampled_from(_KINDS)),
    min_size=1,
    max_size=2,
    unique_by=lambda each: each.path,
).map(tuple)
"""For the files and folders of a base beside its tables."""


def table_obstacles(stamps: Sequence[int]) -> SearchStrategy[tuple[Obstacle, ...]]:
    """For the files of a table with versions of these timestamps, and for its folder."""
    deltas = [f"{stamp}.bsdiff" for stamp in stamps]
    names = [
        ".lock",
        ".lock",
        *TEMPORARY,
        "current.csv",
        "version.log",
        *deltas,
        "rollback_3.tmp",
        "",
    ]
    return st.lists(
        # Missing twice as often: of a lock, above all.
        st.builds(Obstacle, st.sampled_from(names), st.sampled_from(["missing", *_KINDS])),
        min_size=1,
        max_size=2,
        unique_by=lambda each: each.path,
    ).map(tuple)
