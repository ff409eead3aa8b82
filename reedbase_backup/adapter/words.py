"""Words for what goes wrong again and again where an adapter is written."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

ROUNDED = (
    "a JSON parser that reads doubles rounds above 2^53 (in JavaScript read and write them as"
    " BigInt)"
)
"""What becomes of large integers, and the way out."""


def nearest(word: str, words: Iterable[str]) -> str:
    """Return that of `words` which `word` may be meant to be; empty where none is like it."""
    by_plain = {_plain(each): each for each in words}
    plain = _plain(word)
    contained = [each for each in by_plain if plain and (plain in each or each in plain)]
    near = difflib.get_close_matches(plain, by_plain, n=1) or contained[:1]
    return by_plain[near[0]] if near else ""


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """Return the question whether another word was meant; empty where none is like it."""
    meant = nearest(word, words)
    return f"; did you mean `{meant}`?" if meant and meant != word else ""


def _plain(word: str) -> str:
    """Return a word as it is whatever a language's way to write names is."""
    return re.sub(r"[^a-z0-9]", "", word.casefold())
