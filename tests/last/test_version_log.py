"""version.log is read as the baseline's Rust reads it (compared with rustc's standard library)."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reedbase_backup.errors import LogCorrupted
from reedbase_backup.last.versions.version_log import (
    LogLine,
    appended,
    newest_at_or_before,
    parse,
    parse_number,
)
from reedbase_backup.types import U8_MAX, U32_MAX, U64_MAX

LINE = LogLine(5, 2, 1, 9)


def corruption(content: bytes) -> str:
    with pytest.raises(LogCorrupted) as caught:
        parse(content)
    return caught.value.reason


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0", 0),
        ("+5", 5),
        ("+0007", 7),
        ("0" * 5000 + "1", 1),
        (str(U64_MAX), U64_MAX),
        (str(U64_MAX + 1), None),
        ("9" * 5000, None),
        *((text, None) for text in ("", "+", "-", "-0", "-5", "++5", " 5", "5 ", "1_0", "0x1")),
        *((text, None) for text in ("1.5", "1e3", "\u0663", "\uff11", "5\r", "5\n", "5\0")),
    ],
)
def test_a_number_is_what_rust_calls_a_u64(text: str, value: int | None) -> None:
    assert parse_number(text, U64_MAX) == value


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"5|2|1", "format"),
        (b"5", "format"),
        (b"x|x|x", "format"),
        (b"x|x|x|x", "timestamp"),
        (b"\xef\xbb\xbf5|2|1|9", "timestamp"),
        (b" 5|2|1|9", "timestamp"),
        (b"18446744073709551616|2|1|9", "timestamp"),
        (b"5|256|x|x", "action code"),
        (b"5|2|4294967296|x", "user code"),
        (b"5|2|1|", "delta size"),
        (b"5|2|1|9 ", "delta size"),
        (b"5|2|1|9\r5|2|1|9", "delta size"),
        (b"5|2|1|9\r\r", "delta size"),
    ],
)
def test_the_first_bad_field_of_a_line_is_named_with_the_line(line: bytes, what: str) -> None:
    assert corruption(b"1|5|0|1\n\n  \n" + line + b"\nworse") == f"Invalid {what} at line 4"


def test_a_last_line_keeps_its_lone_carriage_return() -> None:
    assert parse(b"5|2|1|9\r\n") == [LINE]
    assert corruption(b"5|2|1|9\r") == "Invalid delta size at line 1"


@pytest.mark.parametrize("blank", ["", " ", "\t\v\f\r", "\x85\xa0", "\u2028\u3000", "\u1680"])
def test_a_blank_line_is_passed_over(blank: str) -> None:
    assert parse(f"5|2|1|9\n{blank}\n5|2|1|9".encode()) == [LINE, LINE]


@pytest.mark.parametrize("odd", ["\x1c", "\x1f", "\u200b", "\u180e", "\ufeff"])
def test_what_rust_does_not_call_white_space_is_a_bad_line(odd: str) -> None:
    assert corruption(odd.encode()) == "Invalid format at line 1"


@pytest.mark.parametrize("bad", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"])
def test_the_first_bad_line_decides_and_utf8_comes_before_its_fields(bad: bytes) -> None:
    assert (
        corruption(b"5|2|1|9\n|" + bad + b"\nno log line") == "stream did not contain valid UTF-8"
    )
    assert corruption(b"5|2|1|9\n\nno log line\n" + bad) == "Invalid format at line 3"
    assert corruption(b"5|2|300|9\n5|300|1|9\n" + bad) == "Invalid action code at line 2"


def test_more_fields_and_unknown_codes_are_accepted() -> None:
    assert parse(b"5|255|4294967295|9|a message||") == [LogLine(5, 255, 4294967295, 9)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"5|2|1|9\n"),
        (b"1|5|0|1\n", b"1|5|0|1\n5|2|1|9\n"),
        (b"1|5|0|1", b"1|5|0|1\n5|2|1|9\n"),
        (b"1|5|0|1\r\n", b"1|5|0|1\r\n5|2|1|9\n"),
    ],
)
def test_an_added_line_is_a_line_of_its_own(before: bytes, after: bytes) -> None:
    assert appended(before, LINE) == after


def test_a_target_picks_the_largest_timestamp_not_after_it_whatever_the_order() -> None:
    lines = [LogLine(stamp, 2, 1, size) for size, stamp in enumerate([10, 30, 20, 30, 20])]
    assert newest_at_or_before(lines, 9) is None
    assert newest_at_or_before(lines, 10) == lines[0]
    assert newest_at_or_before(lines, 29) == lines[2]
    assert newest_at_or_before(lines, U64_MAX) == lines[1]


@given(
    st.integers(0, U64_MAX),
    st.integers(0, U8_MAX),
    st.integers(0, U32_MAX),
    st.integers(0, U64_MAX),
)
@example(10**19 - 1, 99, 10**9 - 1, 10**19 - 1)
@example(10**19, 100, 10**9, 10**19)
@example(U64_MAX, U8_MAX, U32_MAX, U64_MAX)
def test_an_ordinary_line_is_parsed_as_one_that_takes_the_long_way(
    timestamp: int, action: int, user: int, size: int
) -> None:
    line = LogLine(timestamp, action, user, size)
    assert parse(b"%b\n+%b\n" % ((str(line).encode(),) * 2)) == [line, line]


@pytest.mark.parametrize("over", [U64_MAX + 1, 10**20])
def test_a_number_beyond_its_limit_is_never_ordinary(over: int) -> None:
    for line in (f"{over}|2|1|9", "5|256|1|9", f"5|2|{U32_MAX + 1}|9", f"5|2|1|{over}"):
        with pytest.raises(LogCorrupted, match="line 1"):
            parse(line.encode())
