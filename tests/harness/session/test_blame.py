"""Whose fault it is that an archive is not there, or not as it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import RunSuite
from harness.sources import MINE

from pytest_reedbackup.connections.left_behind import blamed_on_implementation
from pytest_reedbackup.model.outcome import Outcome

pytestmark = pytest.mark.slow

MISDEEDS = """
import gzip, pathlib, shutil

class Meddling(Conforming):
    def __init__(self):
        super().__init__()
        self.create, self.restore = self.create_backup, self.restore_point_in_time
        del self.create_backup, self.restore_point_in_time

    def create_backup(self, base_path, now_ns=None):
        made = self.create(base_path, now_ns)
        return self.meddle(pathlib.Path(base_path, "backups", made.id + ".tar.gz"), made) or made

    def restore_point_in_time(self, base_path, target_timestamp):
        return self.restore(base_path, target_timestamp)

def said(made, **changed):
    names = ("id", "timestamp", "size_bytes", "table_count", "compression")
    return {name: getattr(made, name) for name in names} | changed

class NoArchive(Meddling):
    def meddle(self, archive, made): archive.unlink()

class Folder(Meddling):
    def meddle(self, archive, made):
        archive.unlink()
        archive.mkdir()

class Loop(Meddling):
    def meddle(self, archive, made):
        archive.unlink()
        archive.symlink_to(archive.name)

class Nothing(Meddling):
    def meddle(self, archive, made): archive.write_bytes(b"")

class NoTar(Meddling):
    def meddle(self, archive, made): archive.write_bytes(gzip.compress(bytes(range(256)) * 40))

class NoBackups(Meddling):
    def meddle(self, archive, made):
        shutil.rmtree(archive.parent)
        archive.parent.write_text("a file")

class Slashes(Meddling):
    def meddle(self, archive, made): return said(made, id="../" * 3 + made.id)

class Nul(Meddling):
    def meddle(self, archive, made): return said(made, id="5\\\\0")

class Long(Meddling):
    def meddle(self, archive, made): return said(made, id="5" * 5000)

class Unset(Meddling):
    def meddle(self, archive, made): return said(made, id="")

class NoBase(Meddling):
    def meddle(self, archive, made): return None
    def restore_point_in_time(self, base_path, target_timestamp):
        report = self.restore(base_path, target_timestamp)
        shutil.rmtree(base_path)
        return report

class NoTables(NoBase):
    def restore_point_in_time(self, base_path, target_timestamp):
        report = self.restore(base_path, target_timestamp)
        shutil.rmtree(pathlib.Path(base_path, "tables"))
        pathlib.Path(base_path, "tables").touch()
        return report
"""

CHOSEN = (
    "ticket/create/archive*",
    "ticket/create/content/small",
    "ticket/create/info*",
    "ticket/create/same-second*",
    "ticket/create/failure*",
    "ticket/restore/exact-tree",
    "ticket/restore/corrupt/missing*",
)

DEEDS = [
    *("NoArchive", "Folder", "Loop", "Nothing", "NoTar", "NoBackups"),
    *("Slashes", "Nul", "Long", "Unset", "NoBase", "NoTables"),
]

SAMPLED = ("NoArchive", "Nul", "NoBase")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in SAMPLED else pytest.mark.campaign) for name in DEEDS],
)
def test_what_an_implementation_leaves_behind_is_never_the_harnesss_fault(
    run_suite: RunSuite, tmp_path: Path, name: str
) -> None:
    (tmp_path / "mine.py").write_text(MINE + MISDEEDS)
    options = [f"--reedbackup-case={pattern}" for pattern in CHOSEN]
    _, report = run_suite(f"mine:{name}", options=options)
    errors = {case.case_id: case.detail for case in report.cases if case.outcome is Outcome.ERROR}
    assert errors == {}
    broken = [case for case in report.cases if case.outcome is Outcome.FAIL]
    assert broken
    if name == "NoArchive":
        assert any(".tar.gz" in case.detail + case.found for case in broken)


LAST = """
import os, pathlib
from reedbase_backup.adapter.loading import load

class Gone:
    contracts = ("last",)
    def __init__(self):
        self.__dict__.update(load("python-last").functions)
        made = self.create_backup
        def create_backup(base_path):
            info = made(base_path)
            os.unlink(info.path)
            return info
        self.create_backup = create_backup

class Elsewhere(Gone):
    def __init__(self):
        self.__dict__.update(load("python-last").functions)
        made = self.create_backup
        def create_backup(base_path):
            info = made(base_path)
            elsewhere = "/no/such/folder/" + os.path.basename(info.path)
            return dict(path=elsewhere, timestamp=info.timestamp,
                        size_bytes=info.size_bytes, size_mb=info.size_mb)
        self.create_backup = create_backup
"""


@pytest.mark.parametrize("name", ["Gone", "Elsewhere"])
def test_nor_is_it_under_contract_last(run_suite: RunSuite, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine.py").write_text(LAST)
    options = ["--reedbackup-case=last/create/*", "--reedbackup-case=last/list/*"]
    _, report = run_suite(f"mine:{name}", options=options)
    errors = {case.case_id: case.detail for case in report.cases if case.outcome is Outcome.ERROR}
    assert errors == {}
    assert any(case.outcome is Outcome.FAIL for case in report.cases)


@pytest.fixture
def failing(tmp_path: Path) -> Callable[[Path], OSError]:
    def fail(path: Path) -> OSError:
        with pytest.raises(OSError) as caught:
            path.read_bytes()
        return caught.value

    return fail


def test_only_names_in_a_database_that_the_implementation_was_called_on_are_its_doing(
    tmp_path: Path, failing: Callable[[Path], OSError]
) -> None:
    base, other = tmp_path / "1" / ".reed", tmp_path / "2" / ".reed"
    for folder in (base, other):
        folder.mkdir(parents=True)
    broken = blamed_on_implementation(failing(base / "backups" / "5.tar.gz"), {base}, ())
    assert broken is not None
    assert broken.what == "'backups/5.tar.gz' in the database, after the calls before"
    assert blamed_on_implementation(failing(other / "5.tar.gz"), {base}, ()) is None
    assert blamed_on_implementation(OSError(28, "No space left", str(base)), {base}, ()) is None
    assert blamed_on_implementation(OSError("no errno"), {base}, ()) is None


def test_a_folder_of_the_kits_own_that_somebody_removed_is_not_its_doing(
    tmp_path: Path, failing: Callable[[Path], OSError]
) -> None:
    base = tmp_path / "removed" / ".reed"
    assert blamed_on_implementation(failing(base / "tables"), {base}, ()) is None
