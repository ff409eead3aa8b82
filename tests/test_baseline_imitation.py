"""The imitation of the baseline does what the recordings of the real one show, defects included."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_reedbackup.recordings import (
    Effects,
    ListCase,
    Observer,
    Recording,
    RestoreCase,
    err,
    load,
    ok,
    unpack,
)
from reedbase_backup.errors import ReedError
from tests.baseline_imitation import Baseline

PROJECT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("REEDBACKUP_SHARED", PROJECT.parent / "shared"))
GOLDEN = SHARED / "golden"

pytestmark = pytest.mark.skipif(
    not GOLDEN.is_dir(), reason=f"no recordings in {GOLDEN} (set REEDBACKUP_SHARED)"
)


@pytest.fixture(params=["single", "multi"])
def recording(request: pytest.FixtureRequest) -> Recording:
    return load(GOLDEN / f"{request.param}.json")


def restore(case: RestoreCase, base: Path) -> Effects:
    observer = Observer(base)
    try:
        outcome = ok(Baseline().restore_point_in_time(str(base), case.target_timestamp), base)
    except ReedError as error:
        outcome = err(error, base)
    return observer.effects(outcome)


def recorded(case: Effects) -> Effects:
    return Effects(
        outcome=case.outcome,
        current_sha256=case.current_sha256,
        appended=case.appended,
        left_behind=case.left_behind,
    )


def test_every_recorded_restore_ends_as_recorded(recording: Recording, tmp_path: Path) -> None:
    database = unpack(recording, GOLDEN, tmp_path)
    assert recording.cases
    for number, case in enumerate(recording.cases):
        base = tmp_path / f"{number}" / ".reed"
        base.parent.mkdir()
        case.prepare(database, base)
        assert restore(case, base) == recorded(case), case.id


def test_every_recorded_list_ends_as_recorded(tmp_path: Path) -> None:
    recorded_lists: list[ListCase] = load(GOLDEN / "single.json").list_cases
    assert recorded_lists
    for number, case in enumerate(recorded_lists):
        base = tmp_path / f"{number}"
        case.prepare(base)
        found = ok(Baseline().list_backups(str(base)), base)
        for info in found["ok"]:
            if (base / "backups" / Path(info["path"]).name).is_dir():
                # A folder's own size is the file system's business.
                info["size_bytes"], info["size_mb"] = 4096, 4096 / 1048576
        assert found == case.outcome, case.id
