"""Expected and found side by side: what differs is marked, what does not is left out."""

from __future__ import annotations

import pytest

from pytest_reedbackup.reports.html.differences import Piece, Row, side_by_side


def marked(row: Row) -> tuple[list[str], list[str]]:
    """What is marked on either side."""
    left, right = (
        [piece.text for piece in side or () if piece.is_marked]
        for side in (row.expected, row.found)
    )
    return left, right


def test_the_words_that_differ_are_marked_and_no_others() -> None:
    (row,) = side_by_side("3 tables of 40 bytes", "3 tables of 41 bytes")
    assert marked(row) == (["40"], ["41"])
    assert row.expected is not None
    assert "".join(piece.text for piece in row.expected) == "3 tables of 40 bytes"


def test_a_missing_item_of_a_long_list_is_found_among_the_others() -> None:
    ids = [f"17000000{number:02}_000" for number in range(33)]
    rows = side_by_side(repr(ids), repr([one for one in ids if one != ids[20]]))
    differing = [row for row in rows if row.differs]
    assert [marked(row) for row in differing] == [([f"'{ids[20]}',"], [])]
    assert len(rows) < 10
    assert sum(row.skipped for row in rows) == 33 - 5


def test_a_long_sentence_with_brackets_stays_whole() -> None:
    words = "tables/text/current.csv: content differs (451 bytes, sha256 2d7… expected; 0 found)"
    (row,) = side_by_side("19 folders and files, unchanged", words)
    assert row.found == [Piece(words)]


def test_commas_within_an_item_do_not_divide_it() -> None:
    one = "[('a, b', 1, [2, 3]), ('c', 4, [5, 6]), ('d', 7, [8, 9]), ('e\\', f', 10, [11, 12])]"
    rows = side_by_side(one, one.replace("7", "70"))
    assert [marked(row) for row in rows if row.differs] == [(["7"], ["70"])]
    assert sum(row.skipped or 1 for row in rows) == 4


@pytest.mark.parametrize("found", ["7", "indices: missing\ntables: missing"])
def test_where_nothing_is_alike_marks_would_be_everywhere_and_there_are_none(found: str) -> None:
    expected = "an error of kind BackupNotFound"
    assert side_by_side(expected, found) == [Row([Piece(expected)], [Piece(found)])]


def test_the_same_text_twice_is_no_difference() -> None:
    assert not any(row.differs for row in side_by_side("a\nb", "a\nb"))


def test_of_megabytes_so_many_lines_are_shown_as_anybody_reads() -> None:
    """Compared whole they would take hours, and this test with them."""
    lines, others = ("\n".join(map(str, range(0, 10**5, by))) for by in (1, 2))
    assert len(side_by_side(lines, others)) < 2_500
    assert len(side_by_side("[" + "a, " * 10**6 + "]", "[" + "'b', " * 10**6 + "]")) < 2_500
