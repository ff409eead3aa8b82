"""Which backup is meant by the words of people."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest
from fixture_types import BackupAt, TakeSnapshot
from reference.cli.fixture_types import RunCommand

from reedbase_backup import BackupNotFound
from reedbase_backup.catalogue import BackupName
from reedbase_backup.cli.choosing import moments
from reedbase_backup.cli.quantities import NoTime
from reedbase_backup.picks import UnknownBackup

pytestmark = pytest.mark.usefixtures("utc")

NOW = int(datetime.fromisoformat("2026-11-26T12:00Z").timestamp())
YESTERDAY = int(datetime.fromisoformat("2026-11-25T23:59:59Z").timestamp())
NAMES = [
    BackupName(NOW + 50),
    BackupName(NOW - 10),
    BackupName(NOW - 3600),
    BackupName(NOW - 5400),
    BackupName(YESTERDAY + 1),
    BackupName(YESTERDAY, 3),
    BackupName(YESTERDAY, 2),
    BackupName(YESTERDAY),
    BackupName(1000),
]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("latest", NAMES[0]),
        (str(NOW), NAMES[1]),
        ("10s", NAMES[1]),
        ("11s", NAMES[2]),
        ("60m", NAMES[2]),
        ("1h", NAMES[2]),
        ("1h30m", NAMES[3]),
        ("1h30m1s", NAMES[4]),
        ("1d", NAMES[8]),
        ("2w", NAMES[8]),
        ("yesterday", NAMES[5]),
        ("2026-11-26", NAMES[4]),
        ("2026-11-26T10:30Z", NAMES[3]),
        (f"{YESTERDAY}", NAMES[7]),
        (f"{YESTERDAY}-2", NAMES[6]),
        (f"{YESTERDAY}-2.tar.gz", NAMES[6]),
        ("1000.tar.gz", NAMES[8]),
        ("0000000001000", NAMES[8]),
    ],
)
def test_times_ids_and_words_pick_a_backup(text: str, meant: BackupName) -> None:
    assert moments.picked(text, NAMES, NOW)(NAMES) == meant


def test_yesterday_ends_at_midnight_where_the_clocks_change(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3")
    time.tzset()
    now = int(datetime.fromisoformat("2026-10-26T00:30+01:00").timestamp())
    last = int(datetime.fromisoformat("2026-10-25T23:59:59+01:00").timestamp())
    names = [BackupName(last + 1), BackupName(last)]
    assert moments.picked("yesterday", names, now)(names) == BackupName(last)


@pytest.mark.parametrize(
    ("text", "dates", "seconds"),
    [
        ("1795338000123", ("2026-11-22T09:00:00+00:00", "1970-01-01T00:29:55"), "1795338000 or"),
        ("1795338000123456789", ("after the year 9999", "2026-11-22T09:00:00+00:00"), "1795338000"),
        ("00001795338000123", ("2026-11-22T09:00:00+00:00", "1970-01-01T00:29:55"), "1795338000"),
    ],
)
def test_a_number_of_13_or_more_digits_is_answered_by_the_question_which_unit_is_meant(
    base: Path,
    backup_at: BackupAt,
    run: RunCommand,
    snapshot: TakeSnapshot,
    text: str,
    dates: tuple[str, str],
    seconds: str,
) -> None:
    backup_at(base, 1000)
    (base / "tables" / "text" / "current.csv").write_text("not saved")
    before = snapshot(base)
    status, out, err = run("restore", base, "--to", text, "--yes")
    happened, to_do = err.splitlines()
    assert (status, out) == (2, "")
    assert f"milliseconds ({dates[0]}" in happened
    assert f"nanoseconds ({dates[1]}" in happened
    assert seconds in to_do
    assert snapshot(base) == before


def test_an_id_of_many_digits_is_that_backup(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 1795338000123)
    backup_at(base, 1795338000124)
    status, out, _ = run("restore", base, "--to", "1795338000123")
    assert status == 0
    assert out.startswith("Restored backup 1795338000123 ")


def test_of_two_backups_of_one_second_the_id_means_its_own(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 1000)
    (base / "tables" / "text" / "current.csv").write_text("later in that second")
    backup_at(base, 1000)
    assert run("restore", base, "--to", "1000")[1].startswith("Restored backup 1000 ")
    assert (base / "tables" / "text" / "current.csv").read_text() != "later in that second"
    assert run("restore", base, "--to", "1000-2")[1].startswith("Restored backup 1000-2 ")
    assert run("restore", base, "--to", "1001")[1].startswith("Restored backup 1000-2 ")


def test_a_time_before_all_backups_picks_none() -> None:
    with pytest.raises(BackupNotFound):
        moments.picked("999999999w", NAMES, NOW)(NAMES)


def test_an_id_that_is_not_there_is_unknown_and_no_time() -> None:
    with pytest.raises(UnknownBackup, match="1000-7"):
        moments.picked("1000-7", NAMES, NOW)(NAMES)


@pytest.mark.parametrize("text", ["", "now", "1y", "h", "-5", "1.5", str(2**64), "9" * 5000])
def test_what_means_nothing_is_refused_with_what_does(text: str) -> None:
    with pytest.raises(NoTime) as caught:
        moments.picked(text, NAMES, NOW)
    assert caught.value.advice
