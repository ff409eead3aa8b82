"""What is read in version.log and in deltas after a restore."""

from __future__ import annotations

import pytest

from pytest_reedbackup.injection.damage import record, xz
from pytest_reedbackup.views.tables import (
    AddedVersion,
    Version,
    added_version,
    is_delta_between,
)

LOG = b"1|5|1|2\n"


@pytest.mark.parametrize("separator", [b"", b"\n"])
def test_one_line_more_is_an_added_version(separator: bytes) -> None:
    expected = AddedVersion(Version(18446744073709551615, 2, 0, 40), separator)
    assert added_version(LOG, LOG + separator + b"18446744073709551615|2|0|40\n") == expected


@pytest.mark.parametrize(
    "after",
    [
        LOG,
        b"",
        b"1|1|1|2\n9|2|0|40\n",
        LOG + b"9|2|0|40",
        LOG + b"9|2|0|40\n9|2|0|40\n",
        LOG + b"\n\n9|2|0|40\n",
        LOG + b"9|02|0|40\n",
        LOG + b"9|2|0|40|a message\n",
    ],
)
def test_any_other_change_is_none(after: bytes) -> None:
    assert added_version(LOG, after) is None


def test_a_delta_has_its_size_and_makes_the_new_content_of_the_old() -> None:
    delta = xz(record(2, b"new\n", 0, b"\0\0"))
    assert is_delta_between(b"a\n", b"a\nnew\n", delta, len(delta))
    assert not is_delta_between(b"a\n", b"a\nnew\n", delta, len(delta) + 1)
    assert not is_delta_between(b"b\n", b"a\nnew\n", delta, len(delta))
    assert not is_delta_between(b"a\n", b"a\nnew\n", b"no xz", 5)
