"""Text of strangers, as it can be shown: nothing in it is obeyed, nothing in it is hidden."""

from __future__ import annotations

import re

LONGEST = 20_000
"""Characters of one text that a page shows; the JSON report has all of it."""

# Control characters, lone surrogates, what turns the direction of text, and what has no width.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\uffff\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    """Return a text with escapes in place of what a reader could not see, as `\\u202e`."""
    return _HIDDEN.sub(_escape, text)


def shortened(text: str) -> str:
    """Return a text so, and cut where it is longer than anybody reads, which is said."""
    more = len(text) - LONGEST
    seen = visible(text[:LONGEST])
    return f"{seen} … ({more:,} more characters: in the JSON report)" if more > 0 else seen


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
