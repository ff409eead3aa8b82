"""Files of recordings: those that kit 0.1.0 made play back."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from pytest_reedbackup.recording.file import RecordingFile, UnusableRecording, read_recording
from pytest_reedbackup.recording.format import Change, RecordedFault
from pytest_reedbackup.recording.unsupported import Unsupported

LINE = b"key|value\n"
BLOB = hashlib.sha256(LINE).hexdigest()[:40]
# As that kit encoded it: what has its default value is left out of cases, calls and changes.
INDEX = """{
  "header": {
    "format": "pytest-reedbackup recording", "version": 1, "kit": "0.1.0",
    "recorded": "2026-11-26T07:09:28+00:00", "machine": {"system": "Linux", "cores": "2"},
    "implementation": "python-last", "in_process": true,
    "hello": {
      "protocol": 1, "name": "python-last", "version": "0.1.0", "language": "Python",
      "contracts": ["last"], "capabilities": ["clock"]
    },
    "contracts": ["last"], "clock": "the adapter's capability `clock`", "clock_is_settable": true,
    "seed": 0, "examples": 100, "shares": 1, "umask": 18
  },
  "cases": {
    "last/create/far-away": {
      "outcome": "skip",
      "skipped": {"capability": "strace", "sentence": "it is not installed", "tool": true}
    },
    "last/list/no-base": {
      "outcome": "error", "started": 1795676974, "seconds": [5, 6],
      "calls": [
        {
          "method": "list_backups", "contract": "last", "params": {}, "before": "dba9",
          "fault": {"kind": "Crashed", "message": "it ended", "log": "so"}
        }
      ]
    },
    "last/restore/in-place": {"outcome": "pass", "needs": "a process"},
    "last/restore/pick": {
      "outcome": "pass",
      "calls": [
        {
          "method": "restore_point_in_time", "contract": "last",
          "params": {"target_timestamp": 7}, "before": "aa33",
          "reply": {"jsonrpc": "2.0", "id": 0, "result": {"value": []}},
          "gone": [".reed/old%FF"],
          "changes": [
            {"path": ".reed/current.csv", "kind": "file", "mode": 420, "mtime_ns": 9,
             "content": "BLOB", "in_place": true}
          ]
        }
      ]
    }
  }
}""".replace("BLOB", BLOB)


def made_by_0_1_0(path: Path, *, blob: bool = True) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        if blob:
            archive.writestr(f"blobs/{BLOB}", LINE)
        archive.writestr("tape.json", INDEX)
    return path


def test_a_recording_of_kit_0_1_0_is_read(tmp_path: Path) -> None:
    file = RecordingFile(made_by_0_1_0(tmp_path / "old"))
    assert file.blob(BLOB) == LINE
    file.close()
    cases = file.recording.cases
    assert file.recording.header.implementation == "python-last"
    assert cases["last/restore/in-place"].needs is Unsupported.PROCESS
    killed = cases["last/restore/in-place"].missing()
    assert str(killed) == "needs a process: a recording can be neither killed nor traced"
    skipped = cases["last/create/far-away"].missing()
    assert skipped is not None
    assert str(skipped) == "needs strace: it is not installed (when it was recorded)"
    assert skipped.tool
    assert cases["last/restore/pick"].missing() is None
    listed = cases["last/list/no-base"]
    assert (listed.started, listed.seconds) == (1795676974, [5, 6])
    assert listed.calls[0].fault == RecordedFault("Crashed", "it ended", "so")
    (restored,) = cases["last/restore/pick"].calls
    key = ("restore_point_in_time", "last", (("target_timestamp", 7),), "aa33")
    assert restored.key == key
    assert restored.reply["result"] == {"value": []}
    assert restored.gone == [".reed/old%FF"]
    assert restored.changes == [
        Change(".reed/current.csv", "file", 420, 9, content=BLOB, in_place=True)
    ]


def test_a_recording_without_the_content_of_a_file_is_not_whole(tmp_path: Path) -> None:
    path = made_by_0_1_0(tmp_path / "old", blob=False)
    with pytest.raises(UnusableRecording, match="not whole: it lacks 1 contents of files"):
        read_recording(path)


def test_a_zip_of_something_else_is_no_recording(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "other", "w") as archive:
        archive.writestr("index.json", json.dumps({}))
    with pytest.raises(UnusableRecording, match=r"is no recording: it holds no recording\.json"):
        read_recording(tmp_path / "other")
