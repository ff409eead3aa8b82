"""Nothing is deleted at a far end but what --keep says, and only once all is right there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixture_types import BackupAt
from reference.cli.fixture_types import RunCommand
from reference.remote.fixture_types import Far

from reedbase_backup.cli.remote import messages
from reedbase_backup.remote import copy_backups, copying, list_remote

SECONDS = (1000, 2000, 3000, 4000)


def ids(far: Far) -> list[str]:
    return [one.id for one in list_remote(far.url)]


@pytest.fixture
def copied(base: Path, backup_at: BackupAt, light_far: Far) -> Far:
    """All backups of the base at a far end."""
    for seconds in SECONDS:
        backup_at(base, seconds)
    copy_backups(base, light_far.url)
    return light_far


def test_what_is_gone_here_stays_there_without_keep(base: Path, copied: Far) -> None:
    for seconds in SECONDS[:3]:
        (base / "backups" / f"{seconds}.tar.gz").unlink()
    assert copy_backups(base, copied.url).dropped == []
    assert ids(copied) == ["4000", "3000", "2000", "1000"]


def test_keep_says_what_goes_and_then_leaves_the_newest(
    base: Path, copied: Far, run: RunCommand
) -> None:
    status, out, _ = run("copy", base, copied.url, "--keep", "2", "--dry-run")
    assert status == 0
    assert [line.split()[:4] for line in out.splitlines()[1:]] == [
        ["Would", "drop", "backup", "2000"],
        ["Would", "drop", "backup", "1000"],
    ]
    assert ids(copied) == ["4000", "3000", "2000", "1000"]
    status, out, _ = run("copy", base, copied.url, "--keep", "2")
    assert status == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["Drops", "backup", "2000"],
        ["Drops", "backup", "1000"],
    ]
    # And their checksums.
    assert copied.names() == [f"{s}.tar.gz{end}" for s in SECONDS[2:] for end in ("", ".sha256")]


def test_what_keep_would_drop_is_not_sent(base: Path, backup_at: BackupAt, light_far: Far) -> None:
    for seconds in SECONDS:
        backup_at(base, seconds)
    for _ in range(2):
        report = copy_backups(base, light_far.url, keep=2)
        assert [one.id for one in report.backups] == ["4000", "3000"]
        assert report.dropped == []
    assert ids(light_far) == ["4000", "3000"]


def test_what_nobody_has_read_back_neither_counts_nor_goes(base: Path, copied: Far) -> None:
    for name in ("9000", "500"):
        copied.store.put(f"{name}.tar.gz", b"somebody's")
    report = copy_backups(base, copied.url, keep=2)
    assert report.dropped == ["2000", "1000"]
    assert ids(copied) == ["9000", "4000", "3000", "500"]


def test_nothing_goes_where_a_backup_is_not_right_there(
    base: Path, backup_at: BackupAt, copied: Far, run: RunCommand
) -> None:
    backup_at(base, 5000)
    copied.store.put("5000.tar.gz", b"another")
    status, out, _ = run("copy", base, copied.url, "--keep", "2", "--json")
    assert status == 1
    said = json.loads(out)
    assert said["dropped"] == []
    assert said["backups"][0]["error"]["kind"] == "OtherArchive"
    assert ids(copied) == ["5000", "4000", "3000", "2000", "1000"]


def test_what_is_to_go_is_said_before_anything_goes(
    base: Path, copied: Far, run: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(copying.Copy, "drop", power_cut)
    status, out, err = run("copy", base, copied.url, "--keep", "3")
    assert status == 130
    assert "Drops backup 1000 of " in out
    (said,) = err.splitlines()
    assert said == f"reedbackup: {messages.COPY_INTERRUPTED}"


@pytest.mark.parametrize("count", ["0", "-1", "many", "1.5", ""])
def test_keep_takes_a_number_of_backups(base: Path, run: RunCommand, count: str) -> None:
    status, _, err = run("copy", base, "far", "--keep", count)
    assert status == 2
    assert err.endswith("hint: reedbackup copy --help shows how\n")
