"""Damage to logs and deltas as plain data: the name of a known one, or generated numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from pytest_reedbackup.injection.damage import (
    ACCEPTED_DELTAS,
    ACCEPTED_LINES,
    ACCEPTED_LOGS,
    NO_VERSIONS,
    REFUSED_LINES,
    REFUSED_LOGS,
    UNDECODABLE,
    UNFIT,
    Delta,
    Line,
    Log,
)
from reedbase_backup.types import U64_MAX

NO_FILE, A_FOLDER = "missing", "a-folder"
"""The two damages to a version.log that leave no file."""

LINES: Mapping[str, Line] = {
    **ACCEPTED_LINES,
    **{name: line for name, (_, line) in REFUSED_LINES.items()},
    "not-utf-8-in-the-timestamp": lambda fields: "|".join(["\udcff", *fields[1:]]),
    "not-utf-8-behind-the-size": lambda fields: "|".join([*fields, "\udce9"]),
    "not-utf-8-and-few-fields": lambda fields: "\udcff\udcfe",
    "blank": lambda fields: "",
    "of-spaces": lambda fields: " \t",
    "of-white-space-beyond-ascii": lambda fields: "\u2003\u00a0",
    "of-what-only-python-takes-for-white-space": lambda fields: "\x1c",
    "carriage-return-within": lambda fields: "|".join([*fields[:3], f"{fields[3]}\r"]),
    "two-carriage-returns": lambda fields: "|".join([*fields[:3], f"{fields[3]}\r\r"]),
    "glued-to-another": lambda fields: "|".join([*fields, *fields]),
    "timestamp-zero": lambda fields: "|".join(["0", *fields[1:]]),
    "timestamp-largest": lambda fields: "|".join([str(U64_MAX), *fields[1:]]),
    "negative-size-and-action-over-u8": lambda fields: "|".join([fields[0], "256", "1", "-1"]),
}
"""Damages to one line of version.log."""

LOGS: Mapping[str, Log] = {
    **ACCEPTED_LOGS,
    **{f"no-versions-{name}": log for name, log in NO_VERSIONS.items()},
    **{f"refused-{name}": log for name, (_, log) in REFUSED_LOGS.items()},
    "no-final-newline": lambda log: log.removesuffix(b"\n"),
    "cut": lambda log: log[: len(log) * 2 // 3],
    "crlf-without-the-last-line-feed": lambda log: log.replace(b"\n", b"\r\n").removesuffix(b"\n"),
}
"""Damages to version.log as a whole."""

DELTAS: Mapping[str, Delta] = {
    **{f"undecodable-{name}": delta for name, (_, delta) in UNDECODABLE.items()},
    **{f"unfit-{name}": delta for name, (_, delta) in UNFIT.items()},
    **{name: delta for name, (delta, _) in ACCEPTED_DELTAS.items()},
}
"""Damages to a delta that is not the log's first, accepted ones too."""


class MissingFile(Struct, frozen=True, tag="missing"):
    """The file is missing."""


class Truncation(Struct, frozen=True, tag="cut"):
    """The file has only its first bytes."""

    size: int


class TrailingBytes(Struct, frozen=True, tag="longer"):
    """The file has bytes after its end."""

    more: bytes


class BitFlip(Struct, frozen=True, tag="flipped"):
    """One bit differs; in the first version of a table that is other raw content."""

    position: int
    bit: int


class OtherDelta(Struct, frozen=True, tag="swapped"):
    """The file is that of another version of the table, counted from the one after it."""

    by: int


class KnownDamage(Struct, frozen=True, tag="known"):
    """A name in DELTAS; the first version of a table, which is raw, stays as it is."""

    name: str


DeltaDamage = MissingFile | Truncation | TrailingBytes | BitFlip | OtherDelta | KnownDamage


def with_damage(damage: DeltaDamage, stored: Sequence[bytes], number: int) -> bytes | None:
    """Return delta `number` of a table's sound ones with this damage; None for no file."""
    delta = stored[number]
    match damage:
        case Truncation(size):
            return delta[:size]
        case TrailingBytes(more):
            return delta + more
        case BitFlip(position, bit) if delta:
            at = position % len(delta)
            return delta[:at] + bytes([delta[at] ^ 1 << bit]) + delta[at + 1 :]
        case OtherDelta(by):
            return stored[(number + 1 + by) % len(stored)]
        case KnownDamage(name) if number:
            return DELTAS[name](delta)
        case MissingFile():
            return None
    return delta
