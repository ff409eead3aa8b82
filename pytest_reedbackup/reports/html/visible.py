"""Text of strangers, as it can be shown: nothing in it is obeyed, nothing in it is hidden."""

from __future__ import annotations

import re
from typing import overload

from markupsafe import Markup

LONGEST = 20_000
"""Characters of one text that the page shows; the JSON report has all of it."""

# Control characters, lone surrogates, what turns the direction of text, and what has no width.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\ud800-\udfff\ufeff\ufff9-\uffff\U000e0000-\U000e007f]"
)


@overload
def shown(value: str) -> str: ...
@overload
def shown(value: object) -> object: ...
def shown(value: object) -> object:
    """Return a text as it can be shown, anything else as it is.

    What a reader could not see has escapes in its place, as `\\u202e`; what is
    longer than anybody reads is cut, which is said.
    """
    if not isinstance(value, str) or isinstance(value, Markup):
        return value
    visible = _HIDDEN.sub(_escape, value[:LONGEST])
    more = len(value) - LONGEST
    return f"{visible} … ({more:,} more characters: in the JSON report)" if more > 0 else visible


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
