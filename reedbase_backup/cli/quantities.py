"""Times and sizes in the words of people, both ways."""

from __future__ import annotations

from datetime import UTC, datetime

from reedbase_backup.types import U64_MAX

_UNITS = ("byte", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_AGES = ((86_400 * 365, "years"), (86_400, "days"), (3_600, "hours"), (60, "minutes"))
# 9999-12-31T23:59:59Z, the last second that datetime can show, and a day of room for any time zone.
LAST_DATE = 253_402_300_799 - 86_400
"""Up to here, Unix seconds are shown as a date."""


class NoTime(ValueError):
    """The text is no time; `advice` says what is one."""

    advice = "give latest, an id, Unix seconds, a date such as 2026-11-22T10:00, or 1h (ago)"


def size(count: int) -> str:
    """Return `count` bytes, as in `29.2 KiB`."""
    if count < 1024:
        return counted(count, "byte")
    amount, unit = float(count), 0
    # What would be rounded up to 1024.0 belongs to the next unit.
    while amount >= 1023.95 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}"


def counted(count: int, noun: str) -> str:
    """Return the count with its noun, as in `1 table` or `2 tables`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def date(timestamp: int) -> str:
    """Return Unix seconds as a local ISO date; beyond the year 9999 the seconds themselves."""
    if timestamp > LAST_DATE:
        return f"{timestamp} s"
    return datetime.fromtimestamp(timestamp, UTC).astimezone().isoformat(timespec="seconds")


def duration(seconds: float) -> str:
    """Return how long something took, as in `34 ms`, `2.5 s` or `3 min 20 s`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def age(timestamp: int, now: int) -> str:
    """Return how long before `now` (or after it) `timestamp` was, as in `3 hours ago`."""
    apart = abs(now - timestamp)
    amount, unit = apart, "seconds"
    for seconds, name in _AGES:
        if apart >= seconds:
            amount, unit = apart // seconds, name
            break
    words = f"{amount} {unit.removesuffix('s') if amount == 1 else unit}"
    return f"{words} ago" if timestamp <= now else f"in {words}"


def parse_time(text: str) -> int:
    """Return the Unix seconds of `text`: digits, or an ISO date, local unless it says otherwise.

    A date alone is its first second. Raise NoTime, also for a local time that a
    change of the clocks repeats or leaves out.
    """
    if text.isascii() and text.isdigit():
        # Python refuses to read numbers of thousands of digits.
        if len(text.lstrip("0")) > len(str(U64_MAX)) or int(text[-20:]) > U64_MAX:
            raise NoTime(f"{text[:30]} is more than 2^64-1 seconds")
        return int(text[-20:])
    try:
        moment = datetime.fromisoformat(text)
        seconds = int(moment.timestamp() // 1)
        is_ambiguous = moment.tzinfo is None and _other_reading(moment) != seconds
    except (ValueError, OverflowError, OSError) as error:
        raise NoTime(f"{text!r} is no time, and no id of a backup") from error
    if is_ambiguous:
        raise NoTime(
            f"{text!r} comes twice or never, as the clocks change: add the offset from UTC,"
            f" as in {moment.astimezone().isoformat(timespec='minutes')}"
        )
    if seconds < 0:
        raise NoTime(f"{text!r} is before 1970")
    return seconds


def _other_reading(moment: datetime) -> int:
    """Return the Unix seconds of a local time if the clocks had just been changed."""
    return int(moment.replace(fold=1 - moment.fold).timestamp() // 1)
