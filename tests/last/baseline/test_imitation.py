"""The imitation of the baseline does what the recordings of the real one show, defects included."""

from __future__ import annotations

from pathlib import Path

import pytest
from last.baseline.golden import GOLDEN, RECORDINGS, needs_recordings
from last.baseline.imitation import Baseline
from last.baseline.recordings import (
    Effects,
    ListCase,
    Recording,
    RestoreCase,
    effects_since,
    unpack,
)

from pytest_reedbackup.implementations.json_outcomes import err, ok
from pytest_reedbackup.views.snapshot import Snapshot
from reedbase_backup.errors import ReedError

pytestmark = [needs_recordings, pytest.mark.slow]


@pytest.fixture(params=RECORDINGS)
def recording(request: pytest.FixtureRequest) -> Recording:
    return RECORDINGS[request.param]


def restore(case: RestoreCase, base: Path) -> Effects:
    before = Snapshot.read(base)
    try:
        with case.locks_held(base):
            outcome = ok(Baseline().restore_point_in_time(str(base), case.target_timestamp), base)
    except ReedError as error:
        outcome = err(error, base)
    return effects_since(before, outcome)


def test_every_recorded_restore_ends_as_recorded(recording: Recording, tmp_path: Path) -> None:
    database = unpack(recording, GOLDEN, tmp_path)
    assert recording.cases
    for number, case in enumerate(recording.cases):
        base = tmp_path / f"{number}" / ".reed"
        base.parent.mkdir()
        case.prepare(database, base)
        assert case.deviations(restore(case, base)) == set(), case.id


def test_every_recorded_list_ends_as_recorded(tmp_path: Path) -> None:
    recorded_lists: list[ListCase] = [c for r in RECORDINGS.values() for c in r.list_cases]
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
