"""Strategies for generated scenarios of contract `last`.

Small numbers come first, so that examples shrink to what can be read.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, TypeVar

from hypothesis import assume
from hypothesis import strategies as st
from hypothesis.strategies import DrawFn, SearchStrategy
from msgspec import structs

from pytest_reedbackup.databases.layout import EPOCH_NS
from pytest_reedbackup.generate.last.backup_files import BackupFile
from pytest_reedbackup.generate.last.file_damage import (
    A_FOLDER,
    DELTAS,
    LINES,
    LOGS,
    NO_FILE,
    BitFlip,
    DeltaDamage,
    KnownDamage,
    MissingFile,
    OtherDelta,
    TrailingBytes,
    Truncation,
)
from pytest_reedbackup.generate.last.scenarios import (
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
from pytest_reedbackup.generate.last.strategies.obstacles import base_obstacles, table_obstacles
from pytest_reedbackup.generate.last.strategies.users import users_dicts
from reedbase_backup.types import U64_MAX

Drawn = TypeVar("Drawn")

_NAMES = ("text", "users", "a.b", "Größe", "t")
_ODD_NAMES = (
    "a%0Ab",
    "-rf",
    ".hidden",
    "...",
    "a b",
    "%20",
    "%C2%A0",
    "%E2%80%8B",
    "it's %22quoted%22",
    "back%5Cslash",
    "a|b|c",
    "%FF%FEbytes",
    "caf%C3%A9",
    "cafe%CC%81",
    "CON",
    "%1B[31m",
    "{base}",
    "tables",
    "*",
    "x" * 255,
)
IN_THE_FUTURE = 2**62
"""Of a version that was written before the clock went back: the year 2116."""
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
    st.sampled_from([0, 2**32 - 1, 2**32, 2**53, 2**53 + 1, IN_THE_FUTURE]),
)
_edits = st.builds(
    Edit,
    keep=st.integers(0, 12),
    mixed=st.sampled_from([b"", b"\x01", b"\x00\x00\xff", b"\x80\x80\x80\x80"]),
    extra=st.sampled_from(_EXTRAS),
    seek=st.sampled_from([0, 1, -1, 3, -3, -20, 20]),
)
_delta_damages: SearchStrategy[DeltaDamage] = st.one_of(
    st.builds(KnownDamage, st.sampled_from(sorted(DELTAS))),
    st.just(MissingFile()),
    st.builds(Truncation, st.integers(0, 60)),
    st.builds(TrailingBytes, st.sampled_from([b"\x00", b"trailing", b"\x00" * 4])),
    st.builds(BitFlip, st.integers(0, 80), st.integers(0, 7)),
    st.builds(OtherDelta, st.integers(0, 4)),
)


def _rarely(strategy: SearchStrategy[Drawn], otherwise: Any, once_in: int) -> SearchStrategy[Any]:
    """Draw `otherwise`, but once in so many times from `strategy`."""
    # Not the last number: Hypothesis prefers the ends of a range.
    return st.integers(1, once_in).flatmap(
        lambda number: strategy if number == once_in // 2 + 1 else st.just(otherwise)
    )


def _seldom_empty(
    elements: SearchStrategy[Drawn], *, max_size: int, unique_by: Any
) -> SearchStrategy[list[Drawn]]:
    """Draw lists that are seldom empty, though they shrink to the empty one."""
    full = st.lists(elements, min_size=1, max_size=max_size, unique_by=unique_by)
    return st.integers(0, 14).flatmap(lambda number: full if number else st.just([]))


_versions = st.builds(
    Version,
    at=_stamps,
    edits=st.lists(_edits, max_size=3).map(tuple),
    delta=_rarely(_delta_damages, None, once_in=6),
)


_lines = st.lists(
    st.tuples(st.integers(0, 4), st.sampled_from([*_LIMITS, *LINES])), min_size=1, max_size=3
).map(tuple)
_holds = _rarely(st.just("a-moment"), "", once_in=40)
_logs = st.sampled_from(["no-final-newline"] * 3 + [*LOGS, NO_FILE, A_FOLDER])


@st.composite
def _tables(draw: DrawFn, *, are_sound: bool) -> TableHistory:
    """Draw one table; all about it is drawn in one place, so that it can be dropped as a whole."""
    name = draw(_rarely(st.sampled_from(_ODD_NAMES), None, once_in=5)) or draw(
        st.sampled_from(_NAMES)
    )
    once_each = draw(_rarely(st.just(None), lambda version: version.at, once_in=6))
    versions = draw(_seldom_empty(_versions, max_size=5, unique_by=once_each))
    if draw(_rarely(st.just(False), True, once_in=6)):
        versions = sorted(versions, key=lambda version: version.at)
    if are_sound:
        versions = [structs.replace(version, delta=None) for version in versions]
        return TableHistory(name, tuple(versions))
    return TableHistory(
        name=name,
        versions=tuple(versions),
        lines=draw(_rarely(_lines, (), once_in=4)),
        log=draw(_rarely(_logs, "", once_in=4)),
        current=draw(_rarely(st.sampled_from(["lost", "changed"]), "sound", once_in=7)),
        mode=draw(st.sampled_from([0o644, 0o600, 0o664])),
        stray=draw(_rarely(st.sampled_from(["file", "folder"]), "", once_in=8)),
        obstacles=draw(
            _rarely(table_obstacles([version.at for version in versions]), (), once_in=4)
        ),
        lock=draw(_holds),
    )


# Where the clock stands at a call: still, a little on, a little or far back.
_clocks = _rarely(st.sampled_from([1, 0, -1, 60, -60, -(10**8)]), 0, once_in=4)
# A lock that stays taken costs 4.6 s a call and side: once in some 250 databases. There it
# must be what the restore comes upon, so that nothing else is in the way.
_LOCKED = TableHistory("text", (Version(1, (Edit(extra=b"a\n"),)),), lock="throughout")
_is_held_throughout = _rarely(_rarely(st.just(True), False, once_in=16), False, once_in=16)

_kinds = st.sampled_from(["archive", "empty", "no-gzip", "cut", "folder", "link", "dangling"])
_backups = st.builds(
    BackupFile,
    name=(st.sampled_from(_SECONDS) | st.sampled_from(_FOREIGN)).map("{}.tar.gz".format)
    | st.sampled_from(["5", "5.tgz", "5.tar.gz.bak", "notes.txt"]),
    kind=_kinds,
)


@st.composite
def scenarios(draw: DrawFn, *, specified_only: bool = False) -> Scenario:
    """Draw a database of up to three tables, and one to four calls around its versions' times.

    With `specified_only` all calls are restores, and contract `last` says what
    becomes of the database; see `is_specified`.
    """
    is_held_throughout = draw(_is_held_throughout)
    # Of the registry there is something to see only where tables can be restored.
    is_about_registry = draw(_rarely(st.just(True), False, once_in=4))
    each = _tables(are_sound=is_about_registry)
    named = _seldom_empty(each, max_size=3, unique_by=lambda table: table.folder)
    tables = tuple(draw(named))
    backups: list[BackupFile] = []
    if specified_only:
        calls: list[Call] = draw(st.lists(_restores(tables), min_size=1, max_size=3))
    else:
        calls = draw(st.lists(_calls(tables), min_size=1, max_size=4))
        if draw(_rarely(st.just(True), False, once_in=4)):
            backups = draw(st.lists(_backups, max_size=4, unique_by=lambda backup: backup.name))
            calls = draw(st.sampled_from([[List()], [List(), *calls], [*calls, List()]]))
    if is_held_throughout:
        tables, calls = (_LOCKED,), [Restore(1)]
    scenario = Scenario(
        tables=tables,
        calls=tuple(calls),
        strays=tuple(draw(_rarely(st.sampled_from(_STRAYS).map(lambda s: [s]), [], once_in=6))),
        backups=tuple(backups),
        obstacles=draw(_rarely(base_obstacles, (), once_in=8)),
        users=draw(users_dicts if is_about_registry else _rarely(users_dicts, None, once_in=8)),
    )
    assume(not specified_only or is_specified(scenario))
    return scenario


def is_specified(scenario: Scenario) -> bool:
    """Say whether contract `last` says what a restore must make of such a database.

    It is silent about tables whose name is not UTF-8, versions whose timestamp
    is in the future, rollback.tmp or rollback_N.tmp that cannot be made because
    a folder is there, a registry that is a symlink to nowhere, and read-only
    files.
    """
    return not any(
        "\udc80" <= max(table.folder) <= "\udcff"
        or any(version.at >= IN_THE_FUTURE for version in table.versions)
        or any(name == "timestamp-largest" for _, name in table.lines)
        or any(
            each.kind == "read-only"
            or (each.path.startswith("rollback") and each.kind in _NO_PLACE_FOR_A_FILE)
            for each in table.obstacles
        )
        for table in scenario.tables
    ) and not any(
        each.kind == "read-only"
        or (each.path.startswith("registry") and each.kind in _LEADING_NOWHERE)
        for each in scenario.obstacles
    )


_LEADING_NOWHERE = ("dangling", "dangling-outside", "link-to-nowhere")
_NO_PLACE_FOR_A_FILE = ("folder", "full-folder", "link-to-nowhere")


def _restores(tables: tuple[TableHistory, ...]) -> SearchStrategy[Restore]:
    """Draw a restore, mostly to the edge of a version, else of what an earlier call wrote."""
    edges = st.sampled_from(edge_targets(tables))
    return st.builds(
        Restore,
        edges,
        of_call=_rarely(st.integers(1, 2), 0, once_in=6),
        before=st.booleans(),
        at=_clocks,
    )


def _calls(tables: tuple[TableHistory, ...]) -> SearchStrategy[Call]:
    others = st.builds(Create, at=_clocks) | st.just(List())
    return st.integers(0, 9).flatmap(lambda n: _restores(tables) if n < 9 else others)


def edge_targets(tables: tuple[TableHistory, ...]) -> list[int]:
    """Return targets at, just before, just after and between the versions, and the extremes."""
    stamps = sorted({version.at for table in tables for version in table.versions})
    between = {(one + other) // 2 for one, other in pairwise(stamps)}
    around = {stamp + step for stamp in stamps for step in (-1, 1)} | between
    ends = {0, 1, 2**63, U64_MAX}
    others = sorted(target for target in around | ends if 0 <= target <= U64_MAX)
    return list(dict.fromkeys([*stamps, *others]))
