"""Times and sizes in the words of people, both ways."""

from __future__ import annotations

from datetime import UTC, datetime

from reedbase_backup.catalogue import U64_MAX

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
_AGES = ((86_400 * 365, "years"), (86_400, "days"), (3_600, "hours"), (60, "minutes"))
# The last second that datetime can show, 9999-12-31T23:59:59Z.
_LAST_DATE = 253_402_300_799


class NoTime(ValueError):
    """The text is no time."""


def size(count: int) -> str:
    """`count` bytes, as in `29.2 KiB`."""
    if count < 1024:
        return f"{count} bytes"
    amount, unit = float(count), 0
    while amount >= 1024 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1024, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}"


def date(timestamp: int) -> str:
    """Unix seconds as a local ISO date; beyond the year 9999 the seconds themselves."""
    # A day of room, for any time zone.
    if timestamp > _LAST_DATE - 86_400:
        return f"{timestamp} s"
    return datetime.fromtimestamp(timestamp, UTC).astimezone().isoformat(timespec="seconds")


def age(timestamp: int, now: int) -> str:
    """How long before `now` (or after it) `timestamp` was, as in `3 hours ago`."""
    apart = abs(now - timestamp)
    amount, unit = apart, "seconds"
    for seconds, name in _AGES:
        if apart >= seconds:
            amount, unit = apart // seconds, name
            break
    words = f"{amount} {unit.removesuffix('s') if amount == 1 else unit}"
    return f"{words} ago" if timestamp <= now else f"in {words}"


def parse_time(text: str) -> int:
    """Unix seconds of `text`: seconds as digits, or an ISO date, local unless it says otherwise.

    Raises NoTime.
    """
    if text.isascii() and text.isdigit():
        if int(text) > U64_MAX:
            raise NoTime(f"{text} is more than 2^64-1 seconds")
        return int(text)
    try:
        seconds = int(datetime.fromisoformat(text).astimezone().timestamp() // 1)
    except (ValueError, OverflowError, OSError) as error:
        raise NoTime(
            f"{text!r} is no time: give Unix seconds or a date such as 2026-11-22T10:00"
        ) from error
    if seconds < 0:
        raise NoTime(f"{text!r} is before 1970")
    return seconds
