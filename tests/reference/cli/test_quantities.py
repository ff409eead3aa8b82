"""Times and sizes in words, both ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from reedbase_backup.cli import quantities

UseZone = Callable[[str], None]


@pytest.fixture(autouse=True)
def zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[UseZone]:
    """A zone whose clocks change; with another value, any zone."""

    def use(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    # As POSIX writes it, which needs no zone files.
    use("CET-1CEST,M3.5.0,M10.5.0/3")
    yield use
    monkeypatch.undo()
    time.tzset()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        ("0" * 5000 + "7", 7),
        ("1795338000", 1795338000),
        (str(2**64 - 1), 2**64 - 1),
        ("2026-11-22T10:00", 1795338000),
        ("2026-11-22 10:00:00", 1795338000),
        ("2026-11-22T09:00Z", 1795338000),
        ("2026-11-22T14:30+05:30", 1795338000),
        ("2026-11-22", 1795302000),
        ("2026-07-01T12:00", 1782900000),
        ("2026-11-22T10:00:00.999", 1795338000),
    ],
)
def test_seconds_and_dates_are_times(text: str, seconds: int) -> None:
    assert quantities.parse_time(text) == seconds


@pytest.mark.parametrize(
    "text",
    [
        "",
        "now",
        "22.11.2026",
        "2026-13-01",
        "-5",
        "1.5",
        str(2**64),
        "9" * 5000,
        "\N{ARABIC-INDIC DIGIT FIVE}",
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(quantities.NoTime):
        quantities.parse_time(text)


@pytest.mark.parametrize("text", ["1969-12-31T23:00", "0001-01-01", "1970-01-01T00:00"])
def test_a_date_before_1970_is_refused(text: str) -> None:
    with pytest.raises(quantities.NoTime):
        quantities.parse_time(text)


@pytest.mark.parametrize("text", ["2026-10-25T02:30", "2026-03-29T02:30"])
def test_a_local_time_that_comes_twice_or_never_is_refused_with_advice(text: str) -> None:
    with pytest.raises(quantities.NoTime, match="add the offset from UTC"):
        quantities.parse_time(text)
    assert quantities.parse_time(f"{text}+02:00") + 3600 == quantities.parse_time(f"{text}+01:00")


def test_dates_are_local_and_carry_their_offset(zone: UseZone) -> None:
    assert quantities.date(1795338000) == "2026-11-22T10:00:00+01:00"
    assert quantities.date(1782900000) == "2026-07-01T12:00:00+02:00"
    assert quantities.date(2**64 - 1) == f"{2**64 - 1} s"
    zone("UTC")
    assert quantities.date(0) == "1970-01-01T00:00:00+00:00"


@pytest.mark.parametrize("seconds", [0, 2**31, 2**33, 253_402_300_799 - 86_400])
def test_a_shown_date_is_a_time_that_restore_takes(seconds: int) -> None:
    assert quantities.parse_time(quantities.date(seconds)) == seconds


@pytest.mark.parametrize(
    ("apart", "words"),
    [
        (0, "0 seconds ago"),
        (1, "1 second ago"),
        (59, "59 seconds ago"),
        (60, "1 minute ago"),
        (7200, "2 hours ago"),
        (86_400 * 3, "3 days ago"),
        (86_400 * 800, "2 years ago"),
        (-60, "in 1 minute"),
    ],
)
def test_ages_are_in_the_largest_unit(apart: int, words: str) -> None:
    assert quantities.age(10**9 - apart, 10**9) == words


@pytest.mark.parametrize(
    ("count", "words"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (1023, "1023 bytes"),
        (1024, "1.0 KiB"),
        (1024**2 - 1, "1.0 MiB"),
        (30_000, "29.3 KiB"),
        (5 * 1024**3, "5.0 GiB"),
        (2**64 - 1, "16.0 EiB"),
    ],
)
def test_sizes_name_their_unit(count: int, words: str) -> None:
    assert quantities.size(count) == words
