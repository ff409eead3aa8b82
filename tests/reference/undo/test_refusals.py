"""Whatever cannot be kept or brought back changes nothing, and loses nothing that is kept."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import ReadDatabase
from reference.undo.kept import kept, working_folders

from reedbase_backup import IoError
from reedbase_backup.swap import transaction, undo
from reedbase_backup.undo import replaced, restore_undoably, undo_restore


def test_a_restore_that_fails_at_its_end_leaves_what_an_earlier_one_has_kept(
    damaged: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = database(damaged)
    restore_undoably(damaged, 1000)
    folder = kept(damaged)
    rename = transaction.rename

    def fail(base: int, name: str, new_name: str) -> None:
        if name.startswith(".reedbackup-commit-") and not failed:
            failed.append(name)
            raise OSError(5, "it failed")
        rename(base, name, new_name)

    failed: list[str] = []
    with monkeypatch.context() as patch:
        patch.setattr(transaction, "rename", fail)
        with pytest.raises(IoError, match="it failed"):
            restore_undoably(damaged, 1000)
    assert failed
    assert kept(damaged) == folder
    undo_restore(damaged)
    assert database(damaged) == first


def test_where_there_is_no_room_nothing_has_changed_and_what_is_kept_stays(
    damaged: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = database(damaged)
    restore_undoably(damaged, 1000)
    before, folder = database(damaged), kept(damaged)
    with monkeypatch.context() as patch:
        patch.setattr("reedbase_backup.swap.extract._free_bytes", lambda _: 10)
        with pytest.raises(IoError, match="no space left"):
            restore_undoably(damaged, 1000)
    assert (database(damaged), kept(damaged)) == (before, folder)
    undo_restore(damaged)
    assert database(damaged) == first


def test_what_a_rename_cannot_move_is_refused_and_nothing_has_changed(
    damaged: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database(damaged)
    mounted = "tables/text"
    with monkeypatch.context() as patch:
        patch.setattr("reedbase_backup.restore.mount_points", lambda *_: frozenset({mounted}))
        with pytest.raises(IoError, match="tables/text cannot be moved"):
            restore_undoably(damaged, 1000)
    assert (database(damaged), working_folders(damaged)) == (before, [])
    restore_undoably(damaged, 1000)
    restored = database(damaged)
    with monkeypatch.context() as patch:
        patch.setattr("reedbase_backup.undo.mount_points", lambda *_: frozenset({mounted}))
        with pytest.raises(IoError, match="tables/text is a mount point"):
            undo_restore(damaged)
    assert database(damaged) == restored
    undo_restore(damaged)
    assert database(damaged) == before


def test_an_error_midway_leaves_what_is_live_and_what_is_kept(
    damaged: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database(damaged)
    restore_undoably(damaged, 1000)
    restored = database(damaged)
    for function in ("finish", "sync_folder"):
        with monkeypatch.context() as patch:
            patch.setattr(undo, function, failing_once(getattr(undo, function)))
            with pytest.raises(IoError, match="it failed"):
                undo_restore(damaged)
        assert database(damaged) == restored
        kept(damaged)
    undo_restore(damaged)
    assert database(damaged) == before


def failing_once(function: Callable[..., None]) -> Callable[..., None]:
    failed: list[bool] = []

    def fail(*arguments: object) -> None:
        if not failed:
            failed.append(True)
            raise OSError(5, "it failed")
        function(*arguments)

    return fail


def planted_symlink(folder: Path, base: Path) -> None:
    shutil.move(folder, base.parent / "elsewhere")
    folder.symlink_to(base.parent / "elsewhere")


def planted_open_folder(folder: Path, base: Path) -> None:
    folder.chmod(0o755)


def planted_by_another_user(folder: Path, base: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root gives folders away")
    for path in (folder, *folder.rglob("*")):
        os.chown(path, 12345, 12345, follow_symlinks=False)


def planted_journal(folder: Path, base: Path) -> None:
    journal = folder / "journal"
    journal.write_text(journal.read_text().replace('"tables"', '"backups"'))


@pytest.mark.parametrize(
    "plant", [planted_symlink, planted_open_folder, planted_by_another_user, planted_journal]
)
def test_what_others_may_have_planted_is_nothing_that_is_kept(
    damaged: Path, database: ReadDatabase, plant: Callable[[Path, Path], None]
) -> None:
    restore_undoably(damaged, 1000)
    before, folder = database(damaged), kept(damaged)
    plant(folder, damaged)
    assert replaced(damaged) is None
    with pytest.raises(IoError, match="keeps nothing"):
        undo_restore(damaged)
    assert database(damaged) == before
    # And it is in nobody's way.
    restore_undoably(damaged, 1000)
    undo_restore(damaged)
    assert database(damaged) == before
    assert os.path.lexists(folder) is (plant is not planted_journal)


def test_a_symlink_in_place_of_a_root_is_refused(
    damaged: Path, database: ReadDatabase, tmp_path: Path
) -> None:
    restore_undoably(damaged, 1000)
    shutil.move(damaged / "tables", tmp_path / "tables")
    (damaged / "tables").symlink_to(tmp_path / "tables")
    with pytest.raises(IoError, match="tables is no folder any more"):
        undo_restore(damaged)
    assert (damaged / "tables").is_symlink()
    kept(damaged)


def test_no_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IoError) as error:
        undo_restore(tmp_path / "none")
    assert error.value.operation == "open_base"
    assert os.listdir(tmp_path) == []
