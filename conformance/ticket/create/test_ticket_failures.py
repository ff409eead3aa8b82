"""Failing creates under contract `ticket`: special files, and what an error leaves behind."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect, expect_named, expect_same_tree
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import RETENTION
from pytest_reedbackup.implementations.answers import refusal_of
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.views.base import source_tree
from pytest_reedbackup.views.tree import Tree

NAME = "the-special-one"


def _symlink_to_file(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "secret")


def _symlink_to_folder(path: Path, outside: Path) -> None:
    path.symlink_to(outside, target_is_directory=True)


def _dangling_symlink(path: Path, outside: Path) -> None:
    path.symlink_to("nowhere")


def _symlink_inside(path: Path, outside: Path) -> None:
    (path.parent / "target").write_text("part of the database")
    path.symlink_to("target")


def _fifo(path: Path, outside: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path, outside: Path) -> None:
    # In a process of its own: plugins forbid sockets in this one (--disable-socket). A socket's
    # path is short by law, so it is bound relative to its folder.
    bind = "import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])"
    made = outside / "socket"
    if not made.exists():
        subprocess.run([sys.executable, "-S", "-c", bind, made.name], cwd=outside, check=True)
    os.link(made, path)


def _device(path: Path, outside: Path) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3))
    except PermissionError:
        raise MissingCapability("device files", "only root can make one to test with") from None


Make = Callable[[Path, Path], None]
"""Makes something special at a path; what it leads to is in a folder outside the base."""

SPECIAL: dict[str, Make] = {
    "symlink-to-file": _symlink_to_file,
    "symlink-to-folder": _symlink_to_folder,
    "symlink-inside": _symlink_inside,
    "dangling-symlink": _dangling_symlink,
    "fifo": _fifo,
    "socket": _socket,
    "device": _device,
}


@cases(
    "ticket/create/special-file",
    "A {variant} under tables/ or indices/ is refused by name, not followed, not skipped.",
    SPECIAL,
)
def test_create_refuses_special_files(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Make
) -> None:
    outside = reedbackup_db.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("not part of the database")
    table = sorted(child for child in (reedbackup_db / "tables").iterdir() if child.is_dir())[0]
    (table / "inner" / "deeper").mkdir(parents=True)
    for folder in (table, reedbackup_db / "indices", table / "inner" / "deeper", table.parent):
        for name in (NAME, f".{NAME}"):
            variant(folder / name, outside)
            call = f"create_backup with {name} in {folder.relative_to(reedbackup_db)}/"
            refusal = refusal_of(reedbackup.create_backup(reedbackup_db), call)
            expect_named(refusal, name, call)
            (folder / name).unlink()


@case(
    "ticket/create/special-file/table",
    "A symlink in the place of a table is refused by name, not followed, not skipped.",
)
def test_create_refuses_a_symlink_in_the_place_of_a_table(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    outside = reedbackup_db.parent / "outside"
    outside.mkdir()
    (outside / "current.csv").write_text("key|value\n")
    (reedbackup_db / "tables" / NAME).symlink_to(outside, target_is_directory=True)
    refusal = refusal_of(reedbackup.create_backup(reedbackup_db), "create_backup")
    expect_named(refusal, NAME, "create_backup")


@case(
    "ticket/create/failure-leaves-nothing",
    "After a failed create nothing new is listed, older backups stay, no partial file remains.",
)
def test_a_failed_create_leaves_nothing(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    older = reedbackup.created(reedbackup_db)
    archive = archive_of(reedbackup_db, older.id)
    content, others = archive.read_bytes(), _all_but_archives(reedbackup_db, [older.id])
    reedbackup.clock.advance()
    _create_in_vain(reedbackup, reedbackup_db)
    expect("the backups after the failure", reedbackup.listed(reedbackup_db), [older])
    expect("the older archive is unchanged", archive.read_bytes() == content, True)
    newer = reedbackup.created(reedbackup_db)
    expect("the backups after the next one", reedbackup.listed(reedbackup_db), [newer, older])
    expect(
        "what there is beside archives",
        _all_but_archives(reedbackup_db, [older.id, newer.id]),
        others,
    )


@case(
    "ticket/create/failure-leaves-nothing/first",
    "A create that fails where there is no backup yet leaves none.",
)
def test_a_first_create_that_fails_leaves_no_backup(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    _create_in_vain(reedbackup, reedbackup_db)
    expect("the backups after the failure", reedbackup.listed(reedbackup_db), [])


@case(
    "ticket/create/failure-leaves-nothing/full",
    "A failed create costs no older backup, though there are as many as are kept.",
)
def test_a_failed_create_costs_no_older_backup(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    for _ in range(RETENTION):
        reedbackup.created(reedbackup_db)
    kept = reedbackup.listed(reedbackup_db)
    reedbackup.clock.advance()
    _create_in_vain(reedbackup, reedbackup_db)
    expect("the backups after the failure", reedbackup.listed(reedbackup_db), kept)


@case(
    "ticket/create/failure-leaves-nothing/backups-is-a-file",
    "Where backups/ cannot be made, create answers an error and changes nothing.",
)
def test_a_create_without_room_for_backups_changes_nothing(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    (reedbackup_db / "backups").write_text("in the way")
    before = source_tree(reedbackup_db)
    refusal_of(reedbackup.create_backup(reedbackup_db), "create_backup")
    expect_same_tree("the base", source_tree(reedbackup_db), before)
    expect("backups", (reedbackup_db / "backups").read_bytes(), b"in the way")


def _create_in_vain(reedbackup: TicketImplementation, base: Path) -> None:
    """A create that fails at the last thing that it comes to in the order of names."""
    obstacle = base / "indices" / "zzz"
    obstacle.symlink_to("nowhere")
    refusal_of(reedbackup.create_backup(base), "create_backup")
    obstacle.unlink()


def _all_but_archives(base: Path, ids: list[str]) -> list[str]:
    """Every name in the base and around it, but those of these backups' archives."""
    archives = {f"{base.name}/backups/{backup_id}.tar.gz" for backup_id in ids}
    return sorted(Tree.read(base.parent).entries.keys() - archives)
