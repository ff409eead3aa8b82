"""By what cases are alike that came out badly: one cause shows in many of them.

Folders are made for each case and times go on, so that no two texts of one cause
are the same to the letter.
"""

from __future__ import annotations

import re

# Paths, and numbers in any notation: what differs from case to case.
_OF_ONE_CASE = re.compile(r"(?<![\w.])/[^\s'\",;]*|(?<![A-Za-z])\d[\d.,_-]*")
_MOST = 400


def symptom(*texts: str) -> str:
    """Return what the texts of a failure have in common with those of its kind."""
    told = " | ".join(text for text in texts if text)
    return _OF_ONE_CASE.sub("…", told)[:_MOST]
