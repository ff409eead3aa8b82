"""Restores where rights, links or the file system are in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from fixture_types import FindTool, ReadDatabase, RunAsNobody, TakeSnapshot
from reference.restore.live import change

from reedbase_backup import IoError, create_backup, list_backups, restore_point_in_time
from reedbase_backup.disk import durable
from reedbase_backup.swap import working_folders
from reedbase_backup.types import U64_MAX as FOREVER


@pytest.mark.parametrize("refusal", [PermissionError(1, "no"), OSError(22, "nobody here")])
def test_a_root_that_may_not_give_files_away_restores_their_content(
    base: Path,
    database: ReadDatabase,
    monkeypatch: pytest.MonkeyPatch,
    refusal: OSError | PermissionError,
) -> None:
    """As in a container."""

    def refuse(*_: object, **__: object) -> None:
        raise refusal

    before = database(base)
    create_backup(base)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "chown", refuse)
    monkeypatch.setattr(os, "fchown", refuse)
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


def test_a_container_without_the_owner_of_a_file_restores_it(base: Path, tool: FindTool) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give files to others")
    current = base / "tables" / "text" / "current.csv"
    content = current.read_bytes()
    os.chown(current, 1000, 1000)
    create_backup(base)
    code = "import sys, reedbase_backup as b; b.restore_point_in_time(sys.argv[1], 2**63)"
    command: list[str | Path] = [tool("unshare"), "-r", sys.executable, "-c", code, base]
    done = subprocess.run(command, capture_output=True, text=True)
    if "unshare" in done.stderr:
        pytest.skip(f"no user namespace can be made here: {done.stderr.strip()}")
    assert (done.returncode, done.stderr) == (0, "")
    assert current.read_bytes() == content


def test_a_file_that_cannot_be_opened_again_keeps_no_other_from_being_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        (tmp_path / name).touch()
    synced: list[int] = []
    opened = os.open

    def refuse(path: object, *arguments: object, **more: object) -> int:
        if path == "b":
            raise PermissionError(13, "Permission denied")
        return opened(path, *arguments, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refuse)
    monkeypatch.setattr(durable, "sync_file_system", synced.append)
    folder = opened(tmp_path, os.O_RDONLY)
    durable.sync_tree(folder, ["a", "b", "c"])
    os.close(folder)
    assert synced == [folder]


def test_a_base_that_may_not_be_searched_is_not_one_without_tables(
    base: Path, as_nobody: RunAsNobody
) -> None:
    create_backup(base)
    base.chmod(0o600)
    done = as_nobody(
        """
from reedbase_backup import ReedError
for call in (create_backup, lambda base: restore_point_in_time(base, 2**63)):
    try:
        call(sys.argv[1])
    except ReedError as error:
        print(error.kind)
""",
        base,
    )
    base.chmod(0o755)
    assert (done.stdout, done.stderr) == ("PermissionDenied\n" * 2, "")


def test_live_tables_that_may_not_be_read_are_replaced(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase
) -> None:
    before = database(base)
    create_backup(base)
    (base / "tables").chmod(0o000)
    done = as_nobody("print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)", base)
    assert (done.stdout, done.stderr) == ("2\n", "")
    assert database(base) == before


def test_what_cannot_be_removed_stops_no_restore_and_goes_when_it_can(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a folder in the replaced tables/ may be, of which somebody else is the owner."""
    before = database(base)
    create_backup(base)

    def refuse(folder: int, path: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as patched:
        patched.setattr(working_folders, "remove_tree", refuse)
        for _ in range(3):
            assert restore_point_in_time(base, FOREVER).tables_restored == 2
            assert database(base) == before
    mine = base / ".reedbackup-staging-mine"
    mine.mkdir()
    create_backup(base)
    assert [name for name in os.listdir(base) if name[0] == "."] == [mine.name]


def test_a_file_system_that_counts_no_blocks_has_room(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tmpfs without a limit says that it has 0 blocks, and 0 free ones."""

    class Unlimited:
        f_blocks = f_bfree = f_bavail = 0
        f_frsize = 4096

    before = database(base)
    create_backup(base)
    monkeypatch.setattr(os, "statvfs", lambda _: Unlimited)
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


@pytest.mark.parametrize("refusal", [1, 95, 38])
def test_a_disk_without_hard_links_keeps_backups_and_databases(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch, refusal: int
) -> None:
    """As one in exFAT; its errors are EPERM, EOPNOTSUPP and ENOSYS."""
    if sys.platform != "linux":
        pytest.skip("the numbers are Linux's")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(refusal, "no links here")

    before = database(base)
    monkeypatch.setattr(os, "link", refuse)
    first, second = create_backup(base), create_backup(base)
    assert list_backups(base) == [second, first]
    assert sorted(os.listdir(base / "backups")) == sorted(
        f"{info.id}.tar.gz" for info in (first, second)
    )
    restore_point_in_time(base, FOREVER)
    assert database(base) == before


def test_a_full_disk_is_an_error_that_names_the_file(
    base: Path, database: ReadDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    create_backup(base)
    change(base, "to be written again")
    before = database(base)
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(IoError, match=r"'restore': tables/\S+: No space left on device"):
        restore_point_in_time(base, FOREVER)
    assert database(base) == before


@pytest.mark.parametrize("leads_to", ["text", "/", "elsewhere"])
def test_a_table_that_is_a_symlink_by_now_is_replaced_and_never_followed(
    base: Path, database: ReadDatabase, snapshot: TakeSnapshot, tmp_path: Path, leads_to: str
) -> None:
    """To itself, to the root, or to a folder with a lock like a table's."""
    before = database(base)
    create_backup(base)
    elsewhere = tmp_path / "elsewhere"
    (base / "tables" / "text").rename(elsewhere)
    os.utime(elsewhere / ".lock", (1, 1))
    target = {"elsewhere": str(elsewhere)}.get(leads_to, leads_to)
    (base / "tables" / "text").symlink_to(target, target_is_directory=True)
    outside = snapshot(elsewhere)

    restore_point_in_time(base, FOREVER)

    assert database(base) == before
    assert snapshot(elsewhere) == outside
    assert (elsewhere / ".lock").stat().st_nlink == 1
    assert len(list_backups(base)) == 1


def test_tables_that_are_a_symlink_by_now_leave_the_locks_behind_it_alone(
    base: Path, snapshot: TakeSnapshot, tmp_path: Path
) -> None:
    create_backup(base)
    elsewhere = tmp_path / "elsewhere"
    (base / "tables").rename(elsewhere)
    os.utime(elsewhere / "text" / ".lock", (1, 1))
    (base / "tables").symlink_to(elsewhere, target_is_directory=True)
    outside = snapshot(elsewhere)
    restore_point_in_time(base, FOREVER)
    assert snapshot(elsewhere) == outside
