"""Strategies for generated scenarios of contract `last`.

Small numbers come first, so that what Hypothesis shrinks to can be read. No
version is later than now: what becomes of those, contract `last` does not say.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy

from pytest_reedbackup.databases.layout import EPOCH_NS
from pytest_reedbackup.databases.tables import U64_MAX
from pytest_reedbackup.fuzz.damages import (
    A_FOLDER,
    DELTAS,
    LINES,
    LOGS,
    NO_FILE,
    Cut,
    DeltaDamage,
    Flipped,
    Gone,
    Known,
    Longer,
    Swapped,
)
from pytest_reedbackup.fuzz.names_in_backups import BackupName
from pytest_reedbackup.fuzz.scenarios import (
    Call,
    Create,
    Edit,
    List,
    Restore,
    Scenario,
    Stray,
    TableHistory,
    Version,
)

Drawn = TypeVar("Drawn")

_NAMES = ("text", "users", "a.b", "Größe", "t")
_EXTRAS = (b"a|1\n", b"key|value\n", b"", b"key|value\na|1\nb|2\n", b"no newline", b"\xff\x00\r\n")
_STRAYS = (Stray("notes.txt"), Stray("link", "text"), Stray("dangling", "nowhere"))
_SECONDS = ("5", "6", "+5", "005", "0", "1700000000", str(U64_MAX))
_FOREIGN = ("-5", "+", "", " 5", "5 ", "1_0", "1.5", "0x5", str(U64_MAX + 1), "a")

# The edges of what fits a number, which are worth more tries than a word in its place.
_LIMITS = (
    "largest-action",
    "action-over-u8",
    "largest-user",
    "user-over-u32",
    "largest-size",
    "size-over-u64",
    "timestamp-over-u64",
)

_stamps = st.one_of(
    st.integers(1, 12),
    st.integers(0, 3).map(lambda later: EPOCH_NS + later),
    st.sampled_from([0, 2**32 - 1, 2**32, 2**53, 2**53 + 1]),
)
_edits = st.builds(
    Edit,
    keep=st.integers(0, 12),
    mixed=st.sampled_from([b"", b"\x01", b"\x00\x00\xff", b"\x80\x80\x80\x80"]),
    extra=st.sampled_from(_EXTRAS),
    seek=st.sampled_from([0, 1, -1, 3, -3, -20, 20]),
)
_delta_damages: SearchStrategy[DeltaDamage] = st.one_of(
    st.builds(Known, st.sampled_from(sorted(DELTAS))),
    st.just(Gone()),
    st.builds(Cut, st.integers(0, 60)),
    st.builds(Longer, st.sampled_from([b"\x00", b"trailing", b"\x00" * 4])),
    st.builds(Flipped, st.integers(0, 80), st.integers(0, 7)),
    st.builds(Swapped, st.integers(0, 4)),
)


def _rarely(strategy: SearchStrategy[Drawn], otherwise: Any, once_in: int) -> SearchStrategy[Any]:
    """`otherwise`, but once in so many times what `strategy` draws."""
    return st.integers(1, once_in).flatmap(
        lambda number: strategy if number == once_in else st.just(otherwise)
    )


def _seldom_empty(
    elements: SearchStrategy[Drawn], *, max_size: int, unique_by: Any
) -> SearchStrategy[list[Drawn]]:
    """Lists, the empty one seldom and yet the smallest."""
    full = st.lists(elements, min_size=1, max_size=max_size, unique_by=unique_by)
    return st.integers(0, 14).flatmap(lambda number: full if number else st.just([]))


_versions = st.builds(
    Version,
    at=_stamps,
    edits=st.lists(_edits, max_size=3).map(tuple),
    delta=_rarely(_delta_damages, None, once_in=6),
)


_lines = st.tuples(st.integers(0, 4), st.sampled_from([*_LIMITS, *LINES]))
_logs = st.sampled_from(["no-final-newline", *LOGS, NO_FILE, A_FOLDER])


@st.composite
def _tables(draw: DrawFn) -> TableHistory:
    """One table, with all that is drawn for it side by side: so it can be dropped as a whole."""
    name = draw(st.sampled_from(_NAMES))
    once_each = draw(_rarely(st.just(None), lambda version: version.at, once_in=6))
    versions = draw(_seldom_empty(_versions, max_size=5, unique_by=once_each))
    if draw(_rarely(st.just(False), True, once_in=6)):
        versions = sorted(versions, key=lambda version: version.at)
    return TableHistory(
        name=name,
        versions=tuple(versions),
        line=draw(_rarely(_lines, None, once_in=4)),
        log=draw(_rarely(_logs, "", once_in=4)),
        current=draw(_rarely(st.sampled_from(["lost", "changed"]), "sound", once_in=7)),
        mode=draw(st.sampled_from([0o644, 0o600, 0o664])),
        stray=draw(_rarely(st.sampled_from(["file", "folder"]), "", once_in=8)),
    )


_kinds = st.sampled_from(["archive", "empty", "no-gzip", "cut", "folder", "link", "dangling"])
_backups = st.builds(
    BackupName,
    name=(st.sampled_from(_SECONDS) | st.sampled_from(_FOREIGN)).map("{}.tar.gz".format)
    | st.sampled_from(["5", "5.tgz", "5.tar.gz.bak", "notes.txt"]),
    kind=_kinds,
)


@st.composite
def scenarios(draw: DrawFn, *, restores_only: bool = False) -> Scenario:
    """A database of up to three tables, and one to three restores around the edges.

    Unless `restores_only`, list_backups and create_backup may be among the calls.
    """
    named = _seldom_empty(_tables(), max_size=3, unique_by=lambda table: table.name)
    tables = tuple(draw(named))
    backups: list[BackupName] = []
    calls: list[Call] = [
        Restore(target)
        for target in draw(st.lists(st.sampled_from(edge_targets(tables)), min_size=1, max_size=3))
    ]
    if not restores_only:
        if draw(_rarely(st.just(True), False, once_in=4)):
            backups = draw(st.lists(_backups, max_size=4, unique_by=lambda backup: backup.name))
            calls[:1] = draw(st.sampled_from([[List()], [List(), calls[0]]]))
        if draw(_rarely(st.just(True), False, once_in=12)):
            calls[:1] = draw(st.sampled_from([[Create()], [calls[0], Create()]]))
    return Scenario(
        tables=tables,
        calls=tuple(calls),
        strays=tuple(draw(_rarely(st.sampled_from(_STRAYS).map(lambda s: [s]), [], once_in=6))),
        backups=tuple(backups),
        tables_folder=draw(_rarely(st.sampled_from(["missing", "file"]), "sound", once_in=25)),
        system=draw(_rarely(st.sampled_from([7, 4294967295]), 0, once_in=6)),
    )


def edge_targets(tables: tuple[TableHistory, ...]) -> list[int]:
    """Targets at, just before, just after and between the versions, and at the ends of time."""
    stamps = sorted({version.at for table in tables for version in table.versions})
    between = {(one + other) // 2 for one, other in pairwise(stamps)}
    around = {stamp + step for stamp in stamps for step in (-1, 1)} | between
    ends = {0, 1, 2**63, U64_MAX}
    others = sorted(target for target in around | ends if 0 <= target <= U64_MAX)
    return list(dict.fromkeys([*stamps, *others]))
