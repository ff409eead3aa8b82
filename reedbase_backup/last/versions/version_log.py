"""A table's version.log: `timestamp|action|user|size`, one line a version, oldest first.

Numbers and lines are read as the baseline's Rust does (contract `last`,
"restore" 2): a leading `+` and zeros are numbers, spaces and `-0` are not;
CRLF ends a line, a lone CR does not; blank lines count in line numbers only.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from reedbase_backup.errors import LogCorrupted
from reedbase_backup.last.os_errors import reason
from reedbase_backup.types import U8_MAX, U32_MAX, U64_MAX

# Rust's char::is_whitespace; str.isspace has U+001C to U+001F besides.
_WHITE_SPACE = (
    "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)

_NUMBER = re.compile(r"\+?0*([0-9]{1,20})", re.ASCII)
# As nearly every line is: no number so long that it could be beyond its limit.
_ORDINARY = re.compile(r"([0-9]{1,19})\|([0-9]{1,2})\|([0-9]{1,9})\|([0-9]{1,19})", re.ASCII)


class LogLine(NamedTuple):
    """One version as version.log has it."""

    timestamp: int
    """Unix nanoseconds, u64; names the delta file too."""
    action: int
    """Code in actions.dict, u8."""
    user: int
    """Code in users.dict, u32."""
    size: int
    """Length of the delta file in bytes, u64. The baseline never checks it."""

    def __str__(self) -> str:
        return f"{self.timestamp}|{self.action}|{self.user}|{self.size}"


def read(path: Path) -> bytes:
    """Return the log's bytes; a log that does not exist is empty. Raise LogCorrupted."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise LogCorrupted(reason=reason(error)) from error


def parse(content: bytes) -> list[LogLine]:
    """Return the versions in the log's `content`, in its order.

    Lines are judged one by one, so that the first bad one decides. Raise LogCorrupted.
    """
    versions = []
    for number, line in enumerate(split_lines(content), 1):
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            raise LogCorrupted(reason="stream did not contain valid UTF-8") from None
        if text.strip(_WHITE_SPACE):
            versions.append(_parse_line(text, number))
    return versions


def split_lines(content: bytes) -> list[bytes]:
    """Return the lines as Rust ends them, by LF or CRLF; what follows the last end is one too."""
    *ended, last = content.split(b"\n")
    return [*(line.removesuffix(b"\r") for line in ended), last]


def appended(content: bytes, line: LogLine) -> bytes:
    """Return the log with `line` at its end.

    Where the last line lacks its newline, it gets one: the baseline would glue
    the two lines together and never read the log again (D7).
    """
    separator = b"\n" if content and not content.endswith(b"\n") else b""
    return b"%b%b%b\n" % (content, separator, str(line).encode("ascii"))


def newest_at_or_before(lines: Sequence[LogLine], target: int) -> LogLine | None:
    """Return the line with the largest timestamp not after `target`, the oldest of equal ones."""
    candidates = [line for line in lines if line.timestamp <= target]
    return max(candidates, key=lambda line: line.timestamp, default=None)


def parse_number(text: str, limit: int) -> int | None:
    """Return `text` as Rust parses an unsigned integer of at most `limit`; None if it is none."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    value = int(match[1])
    return value if value <= limit else None


def _parse_line(line: str, number: int) -> LogLine:
    if ordinary := _ORDINARY.fullmatch(line):
        return LogLine(*map(int, ordinary.groups()))
    fields = line.split("|")
    if len(fields) < 4:
        raise LogCorrupted(reason=f"Invalid format at line {number}")
    timestamp = parse_number(fields[0], U64_MAX)
    action = parse_number(fields[1], U8_MAX)
    user = parse_number(fields[2], U32_MAX)
    size = parse_number(fields[3], U64_MAX)
    if timestamp is None:
        raise LogCorrupted(reason=f"Invalid timestamp at line {number}")
    if action is None:
        raise LogCorrupted(reason=f"Invalid action code at line {number}")
    if user is None:
        raise LogCorrupted(reason=f"Invalid user code at line {number}")
    if size is None:
        raise LogCorrupted(reason=f"Invalid delta size at line {number}")
    return LogLine(timestamp, action, user, size)
