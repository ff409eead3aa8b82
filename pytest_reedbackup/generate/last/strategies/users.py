"""Strategies for the content of users.dict."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

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
_TOGETHER = (
    b"4294967295|max|1700000000",
    b"4294967295|max|1700000000\n0|bob|1700000000",
    b"x|no number|1700000000\n7|system|1700000000",
    b"1|admin|1700000000\nx|no number|1700000000\n2|bob|1700000000",
    b"1|admin|1700000000\n\xff|not UTF-8|1700000000\n2|bob|1700000000",
    b"0|system|1700000000\n5|system|1700000000",
    b"6|system",
    b"9|System|1700000000\n3| system|1700000000",
)
"""Lines that mean something together, or alone: seldom drawn as such one by one."""
_ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n", b"\r"])


def _joined(header: bytes, lines: Sequence[bytes], end: bytes, is_ended: bool) -> bytes:
    return end.join([header, *lines]) + (end if is_ended else b"")


users_dicts: SearchStrategy[bytes] = st.builds(
    _joined,
    st.sampled_from([HEADER] * 4 + list(_HEADERS)),
    st.lists(st.sampled_from(_USERS), max_size=5),
    _ENDS,
    st.sampled_from([True, True, False]),
) | st.sampled_from(
    [b"", b"\n", HEADER, b"\x00\xff", *(b"%b\n%b\n" % (HEADER, lines) for lines in _TOGETHER)]
)
"""The content of users.dict, sound or damaged in every way that reading could stumble over."""
