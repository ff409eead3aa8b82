"""Strategies for what stands where a call of contract `last` opens a file, and for users.dict."""

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
HEADER = b"code|username|created_at"
_HEADERS = (HEADER, b"", b"0|system|1700000000", b"3|bob|1700000000", b"\xef\xbb\xbfcode", b"\xff")
_USERS = (
    b"1|admin|1700000000",
    b"0|system|1700000000",
    b"7|system|1700000000",
    b"2|bob|1700000000",
    b"7|bob|1700000000",
    b"12|bob|1700000000",
    b"+3|system|1700000000",
    b"+4|carol|1700000000",
    b"007|carol|1700000000",
    b"4294967295|max|1700000000",
    b"4294967295|system|1700000000",
    b"4294967295|max|1700000000\n0|bob|1700000000",
    b"4294967296|over|1700000000",
    b"99999999999999999999999|huge|1700000000",
    b"-1|negative|1700000000",
    b"x|no number|1700000000",
    b"|no code|1700000000",
    b" 5|a space|1700000000",
    b"5 |a space|1700000000",
    b"1_0|dan|1700000000",
    b"\xef\xbc\x95|a wide digit|1700000000",
    b"5",
    b"5|",
    b"5|dave",
    b"6|system",
    b"6|system|1|2|3",
    b"",
    b"   ",
    b"9|System|1700000000",
    b"9| system|1700000000",
    b"9|system |1700000000",
    b"9|sys\rtem|1700000000",
    b"9|system\r|1700000000",
    b"\xff|not UTF-8|1700000000",
    b"3|\xc3\x28|1700000000",
    b"3|eve|\xff",
)
_ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b"\r"])


def _joined(header: bytes, lines: Sequence[bytes], end: bytes, is_ended: bool) -> bytes:
    return end.join([header, *lines]) + (end if is_ended else b"")


users_dicts: SearchStrategy[bytes] = st.builds(
    _joined,
    st.sampled_from([HEADER] * 4 + list(_HEADERS)),
    st.lists(st.sampled_from(_USERS), max_size=5),
    _ENDS,
    st.sampled_from([True, True, False]),
) | st.sampled_from([b"", b"\n", HEADER, b"\x00\xff"])
"""The content of users.dict, sound or damaged in every way that reading could stumble over."""

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
    names = [".lock", *TEMPORARY, "current.csv", "version.log", *deltas, "rollback_3.tmp", ""]
    return st.lists(
        st.builds(Obstacle, st.sampled_from(names), st.sampled_from(_KINDS)),
        min_size=1,
        max_size=2,
        unique_by=lambda each: each.path,
    ).map(tuple)
