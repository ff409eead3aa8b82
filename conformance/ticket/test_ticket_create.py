"""create_backup under contract `ticket`."""

from __future__ import annotations

from pathlib import Path

from pytest_reedbackup.cases import case
from pytest_reedbackup.promises import expect
from pytest_reedbackup.subject import Subject


@case("ticket/create/info", "The BackupInfo that create returns is the first that list shows.")
def test_create_backup(reedbackup: Subject, reedbackup_db: Path) -> None:
    made = reedbackup.created(reedbackup_db)
    expect("the first entry of list_backups", reedbackup.listed(reedbackup_db)[0], made)
