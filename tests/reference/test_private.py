"""Nobody reads in a backup what the database keeps from them: contract `ticket`, create/private."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fixture_types import BackupAt, MakeBase

from reedbase_backup import create_backup, list_backups, restore_point_in_time
from reedbase_backup.archive.reader import ArchiveReader
from reedbase_backup.disk import durable, source_entries
from reedbase_backup.types import U64_MAX as FOREVER

GROUP = 4242
"""Of nobody here."""


@pytest.fixture(autouse=True)
def _generous_umask() -> Iterator[None]:
    old = os.umask(0)
    yield
    os.umask(old)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def give(base: Path, *, folders: int, files: int, group: int | None = None) -> None:
    """Sets the modes, and the group, of everything in a database."""
    for path in (base, *base.rglob("*")):
        if group is not None:
            os.chown(path, -1, group)
        path.chmod(folders if path.is_dir() else files)


@pytest.mark.parametrize(("folders", "files"), [(0o700, 0o600), (0o755, 0o644), (0o777, 0o666)])
def test_a_backup_is_its_owners_alone_whatever_the_umask(
    make_base: MakeBase, folders: int, files: int
) -> None:
    base = make_base("t")
    give(base, folders=folders, files=files)
    made = create_backup(base)
    assert mode(base / "backups") == 0o700
    assert mode(base / "backups" / f"{made.id}.tar.gz") == 0o600


@pytest.mark.parametrize("shared", [False, True])
def test_it_is_so_from_the_first_moment_on(
    make_base: MakeBase, monkeypatch: pytest.MonkeyPatch, shared: bool
) -> None:
    base = make_base("t")
    if shared:
        give(base, folders=0o2770, files=0o660)
    backups = base / "backups"
    seen: set[tuple[int, int]] = set()
    read = source_entries.read_some

    def looking(descriptor: int, size: int, name: str) -> bytes:
        seen.update((mode(backups), mode(path)) for path in backups.iterdir())
        return read(descriptor, size, name)

    monkeypatch.setattr(source_entries, "read_some", looking)
    create_backup(base)
    # Of a shared base, a new folder inherits the setgid bit.
    assert seen == {(0o2700 if shared else 0o700, 0o600)}


def test_what_a_killed_backup_leaves_is_its_owners_alone(base: Path) -> None:
    with durable.partial_file(str(base / "backups")):
        (left,) = (base / "backups").iterdir()
        assert (mode(base / "backups"), mode(left)) == (0o700, 0o600)


def test_retired_backups_stay_their_owners_alone(
    base: Path, backup_at: BackupAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reedbase_backup import retention

    monkeypatch.setattr(retention, "delete", lambda _: None)
    for second in range(34):
        backup_at(base, second)
    hidden = [path for path in (base / "backups").iterdir() if path.name.startswith(".")]
    assert hidden
    assert {mode(path) for path in (base / "backups").iterdir()} == {0o600}


def test_a_backups_folder_that_is_there_keeps_its_mode(base: Path) -> None:
    (base / "backups").mkdir()
    (base / "backups").chmod(0o2775)
    made = create_backup(base)
    assert mode(base / "backups") == 0o2775
    assert mode(base / "backups" / f"{made.id}.tar.gz") == 0o600


def test_the_database_while_it_is_restored_is_its_owners_alone(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    create_backup(base)
    give(base, folders=0o777, files=0o666)
    seen: set[int] = set()
    chunks = ArchiveReader.chunks

    def looking(reader: ArchiveReader) -> Iterator[bytes]:
        staging = [p for p in base.iterdir() if p.name.startswith(".reedbackup")]
        seen.update(mode(path) for path in staging)
        return chunks(reader)

    monkeypatch.setattr(ArchiveReader, "chunks", looking)
    restore_point_in_time(base, FOREVER)
    assert seen == {0o700}


def test_another_user_reads_neither_the_backup_nor_its_name(base: Path, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be another user")
    give(base, folders=0o755, files=0o644)
    (base / "tables" / "text" / "current.csv").chmod(0o600)
    made = create_backup(base)
    tmp_path.chmod(0o755)
    archive = Path(".reed/backups") / f"{made.id}.tar.gz"
    code = """
import os, sys
os.setgroups([]); os.setgid(65534); os.setuid(65534)
print(len(os.listdir(".reed/tables")))
for action in (lambda: open(sys.argv[1]), lambda: os.listdir(".reed/backups")):
    try:
        action()
    except PermissionError:
        print("no")
"""
    done = subprocess.run(
        [sys.executable, "-c", code, archive], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("2\nno\nno\n", "")


# A group's database ------------------------------------------------------------


@pytest.fixture
def shared(make_base: MakeBase) -> Path:
    if os.geteuid() != 0:
        pytest.skip("only root can give a database to another group")
    base = make_base("a", "b")
    give(base, folders=0o2770, files=0o660, group=GROUP)
    return base


def archive_mode(base: Path) -> int:
    return mode(base / "backups" / f"{create_backup(base).id}.tar.gz")


def test_the_group_that_shares_a_database_shares_its_backups(shared: Path) -> None:
    assert archive_mode(shared) == 0o640
    assert mode(shared / "backups") == 0o2770
    assert (shared / "backups").stat().st_gid == GROUP


def test_an_operator_of_that_group_lists_makes_and_restores_backups(
    shared: Path, tmp_path: Path
) -> None:
    create_backup(shared)
    tmp_path.chmod(0o755)
    code = """
import os, sys
from reedbase_backup import create_backup, list_backups, restore_point_in_time
os.setgroups([4242]); os.setgid(65534); os.setuid(65534)
create_backup(".reed")
print(len(list_backups(".reed")), restore_point_in_time(".reed", 2**64 - 1).tables_restored)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("2 2\n", "")


CLOSED: dict[str, Callable[[Path], None]] = {
    "a file that only its owner reads": lambda base: (base / "tables/a/current.csv").chmod(0o600),
    "a file of an index that only its owner reads": lambda base: (
        base / "indices/metadata.json"
    ).chmod(0o600),
    "a folder that only its owner opens": lambda base: (base / "tables/b").chmod(0o2700),
    "a folder that the group may not change": lambda base: (base / "tables/b").chmod(0o2750),
    "a folder that is not the group's for good": lambda base: (base / "tables/b").chmod(0o770),
    "a file of another group": lambda base: os.chown(base / "tables/a/version.log", -1, 4243),
    "a folder of another group": lambda base: os.chown(base / "indices", -1, 4243),
    "a base of another group": lambda base: os.chown(base, -1, 4243),
}


@pytest.mark.parametrize("case", CLOSED)
def test_anything_that_the_group_may_not_have_closes_the_backup_to_it(
    shared: Path, case: str
) -> None:
    CLOSED[case](shared)
    assert archive_mode(shared) == 0o600
    assert mode(shared / "backups") & 0o077 == 0


def access_list(*entries: tuple[int, int, int]) -> bytes:
    """A POSIX access control list of (tag, permissions, id), as Linux keeps it."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def test_a_group_that_an_access_list_keeps_out_stays_out(shared: Path) -> None:
    """The mode then shows the list's limit, and not what the group has."""
    nobody = 0xFFFFFFFF
    owner, user, group, limit, others = (
        (0x01, 6, nobody),
        (0x02, 6, 1),
        (0x04, 0, nobody),
        (0x10, 6, nobody),
        (0x20, 0, nobody),
    )
    file = shared / "tables" / "a" / "current.csv"
    try:
        os.setxattr(file, "system.posix_acl_access", access_list(owner, user, group, limit, others))
    except OSError as error:
        pytest.skip(f"no access lists here: {error}")
    assert mode(file) == 0o660
    assert archive_mode(shared) == 0o600


def test_backups_behind_a_link_are_their_owners_alone(shared: Path, tmp_path: Path) -> None:
    """Where they are, others may come who do not come to the base."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    give(elsewhere, folders=0o2770, files=0o660, group=GROUP)
    (shared / "backups").symlink_to(elsewhere)
    assert archive_mode(shared) == 0o600
    assert len(list_backups(shared)) == 1
