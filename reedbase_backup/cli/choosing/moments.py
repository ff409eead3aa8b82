"""Which backup a person means: by its id, as the latest, or by a time in any of their words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from reedbase_backup.catalogue import SUFFIX, BackupName
from reedbase_backup.cli.quantities import LAST_DATE, NoTime, date, parse_time
from reedbase_backup.picks import Pick, at_or_before, by_id
from reedbase_backup.types import U64_MAX

WAYS = (
    "latest, an id (as list shows it), Unix seconds, a date such as 2026-11-22T10:00 (local time,"
    " unless it ends in Z or an offset; a date alone is its first second), how long ago (90s, 15m,"
    " 1h, 2d, 1w), or yesterday (its last second)"
)
"""What `picked` takes, for --help."""

_SPANS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_AGO = re.compile(r"(?:[0-9]{1,9}[smhdw])+", re.ASCII)
# Unix seconds have ten digits until the year 2286; milliseconds have had thirteen since 2001.
_TOO_MANY_DIGITS = 13


class WhichUnit(NoTime):
    """The text is a number of milliseconds or nanoseconds; `advice` says how to give seconds."""

    def __init__(self, text: str) -> None:
        readings = {"milliseconds": int(text) // 10**3, "nanoseconds": int(text) // 10**9}
        meant = " or ".join(f"{unit} ({_shown(s)})" for unit, s in readings.items())
        super().__init__(f"{text} has {len(text)} digits: are {meant} meant? A time is in seconds")
        likely = [str(seconds) for seconds in readings.values() if seconds < LAST_DATE]
        self.advice = f"give the seconds: {' or '.join(likely) or 'ten digits'}"


def picked(text: str, names: Sequence[BackupName], now: int) -> Pick:
    """Return what picks the backup meant by `text` among `names`, at `now` (Unix seconds).

    An id is taken at its word before it is read as a time: of two backups of one
    second, the time means the later one. Raise NoTime, or WhichUnit.
    """
    if text == "latest":
        return at_or_before(U64_MAX)
    if text.removesuffix(SUFFIX) in {name.id for name in names}:
        return by_id(text)
    if text == "yesterday":
        return at_or_before(_end_of_yesterday(now))
    if _AGO.fullmatch(text):
        spans = re.findall(r"([0-9]+)([smhdw])", text)
        return at_or_before(max(0, now - sum(int(count) * _SPANS[unit] for count, unit in spans)))
    if text.isascii() and text.isdigit():
        digits = text.lstrip("0")
        if _TOO_MANY_DIGITS <= len(digits) <= len(str(U64_MAX)):
            raise WhichUnit(digits)
    elif BackupName.parse(text.removesuffix(SUFFIX) + SUFFIX):
        return by_id(text)
    return at_or_before(parse_time(text))


def _end_of_yesterday(now: int) -> int:
    midnight = datetime.fromtimestamp(now, UTC).astimezone().replace(tzinfo=None)
    midnight = midnight.replace(hour=0, minute=0, second=0, microsecond=0)
    # By way of local time, for a day may have 23 or 25 hours.
    return int((midnight - timedelta(seconds=1)).timestamp())


def _shown(seconds: int) -> str:
    return date(seconds) if seconds < LAST_DATE else "after the year 9999"
