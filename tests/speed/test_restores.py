"""How fast the port restores a long history (the baseline: 8.2 s, D12)."""

from __future__ import annotations

from pathlib import Path

import pytest
from speed.restores import BASELINE_RATIO, Speed, decompress_all, measure

from pytest_reedbackup.databases import edits
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.views.tables import TableFolder


def test_a_speed_is_that_of_the_fastest_rounds() -> None:
    speed = Speed("rust", restores=[700.0, 900.0, 300.0], decompressions=[100.0, 300.0, 200.0])
    assert speed.ratio == 3.0
    assert str(speed) == (
        "rust: 300 ms, where decompressing alone takes 100 ms: a ratio of 3.00, 127% of the"
        " baseline's 2.37"
    )


def test_every_delta_is_decompressed(tmp_path: Path) -> None:
    table = TableFolder(edits.create_table(tmp_path, "text", b"raw", 1))
    assert decompress_all(table) == 0
    edits.write_version(table.path, b"", 2)
    assert decompress_all(table) == 0
    edits.write_version(table.path, b"key|value\n", 3)
    assert decompress_all(table) == 24 + 10


@pytest.mark.campaign
def test_the_newest_of_10k_versions_takes_at_most_half_the_baselines_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    speed = measure("python-last", Templates(tmp_path / "templates"), tmp_path, rounds=3)
    with capsys.disabled():
        print(f"\n{speed}")
    assert speed.ratio <= BASELINE_RATIO / 2
