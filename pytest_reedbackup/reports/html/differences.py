"""Expected and found side by side: lines of either that belong together, differences marked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from pytest_reedbackup.reports.words.visible import LONGEST, visible

# Above that, lines are compared as wholes: what is compared word by word takes the square.
_MOST_WORDS = 400
_MOST_LINES = 1_000
# How many equal lines stay around those that differ.
_CONTEXT = 2
# A list that is shorter is read quicker in one line.
_ONE_LINE = 64
# Less alike than that, and what differs is nearly all.
_ALIKE = 0.4

# A list or a record; brackets further on are a sentence's.
_LIST = re.compile(r"[\w.]*[\[({]")
_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)
_OPENING, _CLOSING, _QUOTES = "([{", ")]}", "'\""


@dataclass(frozen=True)
class Piece:
    """Text, and whether it is what differs."""

    text: str
    is_marked: bool = False


@dataclass(frozen=True)
class Row:
    """A line of what was expected beside one of what was found; None where there is none."""

    expected: Sequence[Piece] | None
    found: Sequence[Piece] | None
    skipped: int = 0
    """How many equal lines are left out in its place."""

    @property
    def differs(self) -> bool:
        """Whether the two are not the same."""
        return not self.skipped and self.expected != self.found


def side_by_side(expected: str, found: str) -> list[Row]:
    """Return the two texts in rows."""
    texts = visible(expected[:LONGEST]), visible(found[:LONGEST])
    left, right = map(_lines, texts)
    if len(left) == 1 or len(right) == 1:
        # A sentence beside what was found is no list of the same kind.
        return list(_paired(left, right)) if len(left) == len(right) else [_unlike(left, right)]
    matcher = SequenceMatcher(None, left, right, autojunk=False)
    rows: list[Row] = []
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        if tag == "equal":
            rows += (Row([Piece(line)], [Piece(line)]) for line in left[start:end])
        else:
            rows += _paired(left[start:end], right[other_start:other_end])
    return list(_without_the_same(rows))


def _lines(text: str) -> list[str]:
    """Return the lines of a text; a long list in one line has an item a line."""
    lines = [part for line in text.split("\n") for part in _items(line)]
    more = len(lines) - _MOST_LINES
    return [*lines[:_MOST_LINES], f"… {more:,} more lines"] if more > 0 else lines


def _items(line: str) -> Iterator[str]:
    """Yield a line in parts that end with the commas of its outermost brackets."""
    if len(line) <= _ONE_LINE or not _LIST.match(line):
        yield line
        return
    start = depth = 0
    quote = ""
    for place, character in enumerate(line):
        if quote:
            quote = "" if character == quote and line[place - 1] != "\\" else quote
        elif character in _QUOTES and not line[max(place - 1, 0)].isalpha():
            quote = character
        elif character in _OPENING:
            depth += 1
        elif character in _CLOSING:
            depth -= 1
        elif character == "," and depth == 1:
            yield line[start : place + 1].lstrip()
            start = place + 1
    yield line[start:].lstrip()


def _paired(left: Sequence[str], right: Sequence[str]) -> Iterator[Row]:
    for place in range(max(len(left), len(right))):
        if place >= len(left):
            yield Row(None, [Piece(right[place], is_marked=True)])
        elif place >= len(right):
            yield Row([Piece(left[place], is_marked=True)], None)
        else:
            yield _marked(left[place], right[place])


def _unlike(left: Sequence[str], right: Sequence[str]) -> Row:
    """Return what has so little in common that marks would be everywhere, and help nobody."""
    return Row([Piece("\n".join(left))], [Piece("\n".join(right))])


def _marked(left: str, right: str) -> Row:
    """Return two lines with the words marked that differ; none where little is alike."""
    words, others = _WORD.findall(left), _WORD.findall(right)
    if left == right or max(len(words), len(others)) > _MOST_WORDS:
        return _unlike([left], [right])
    matcher = SequenceMatcher(None, words, others, autojunk=False)
    if matcher.ratio() < _ALIKE:
        return _unlike([left], [right])
    own: list[Piece] = []
    other: list[Piece] = []
    for tag, start, end, other_start, other_end in matcher.get_opcodes():
        for pieces, text in (
            (own, "".join(words[start:end])),
            (other, "".join(others[other_start:other_end])),
        ):
            if text:
                pieces.append(Piece(text, is_marked=tag != "equal"))
    return Row(own, other)


def _without_the_same(rows: Sequence[Row]) -> Iterator[Row]:
    """Yield the rows, with the number of equal ones in place of those far from a difference."""
    near = {
        place + offset
        for place, row in enumerate(rows)
        if row.differs
        for offset in range(-_CONTEXT, _CONTEXT + 1)
    }
    skipped = 0
    for place, row in enumerate(rows):
        if place in near:
            if skipped:
                yield Row(None, None, skipped)
            skipped = 0
            yield row
        else:
            skipped += 1
    if skipped:
        yield Row(None, None, skipped)
