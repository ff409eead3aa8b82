"""restore_point_in_time under contract `ticket`: what it leaves, and what it says of it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.backups import backup_around
from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import RETENTION
from pytest_reedbackup.databases.archives import (
    UNREADABLE,
    file_member,
    folder_member,
    mode_of,
    pack_members,
)
from pytest_reedbackup.databases.changes import change_everything, edit_unseen, under_another_name
from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.databases.spec import AWKWARD, EMPTY, MANY_TABLES, SMALL, Spec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.implementations.answers import Answered, value_of
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.base import ROOTS, live_tree, other_tree
from pytest_reedbackup.views.tree import Tree


@case("ticket/restore/exact-tree", "Restore makes tables/ and indices/ what they were.")
def test_restore_point_in_time(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    expected = live_tree(reedbackup_db)
    target = backup_around(reedbackup, reedbackup_db)
    change_everything(reedbackup_db)
    reedbackup.restored(reedbackup_db, target)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)


@cases(
    "ticket/restore/exact-tree",
    "Restore brings back the {variant} database: contents, modes, empty folders.",
    {"small": SMALL, "awkward": AWKWARD, "many-tables": MANY_TABLES, "empty": EMPTY},
)
def test_restore_brings_back_every_shape(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    expected = live_tree(base)
    target = backup_around(reedbackup, base)
    remove_tree(base / "tables")
    (base / "tables" / "since").mkdir(parents=True)
    (base / "tables" / "since" / "current.csv").write_text("key|value\n")
    (base / "indices" / "since").mkdir(parents=True)
    reedbackup.restored(base, target)
    expect_same_tree("tables/ and indices/", live_tree(base), expected)


@case(
    "ticket/restore/exact-tree/base-of-any-name",
    "Restore makes tables/ and indices/ what they were, whatever the base is called.",
)
def test_restore_works_in_a_base_of_any_name(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    base = under_another_name(reedbackup_db)
    expected = live_tree(base)
    target = backup_around(reedbackup, base)
    change_everything(base)
    reedbackup.restored(base, target)
    expect_same_tree("tables/ and indices/", live_tree(base), expected)


def _delete_all(base: Path) -> None:
    for root in ("tables", "indices"):
        shutil.rmtree(base / root)


def _change_modes(base: Path) -> None:
    for path in sorted((base / "tables").rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)


def _change_root_modes(base: Path) -> None:
    for root in ("tables", "indices"):
        (base / root).chmod(0o700)


def _link_away(base: Path) -> None:
    """Symlinks where a table and a file were, to what is no part of the database."""
    outside = base.parent / "outside"
    tables = sorted(child for child in (base / "tables").iterdir() if child.is_dir())
    shutil.copytree(tables[0], outside)
    shutil.rmtree(tables[0])
    tables[0].symlink_to(outside, target_is_directory=True)
    (tables[1] / "current.csv").unlink()
    (tables[1] / "current.csv").symlink_to(outside / "version.log")


def _swap_kinds(base: Path) -> None:
    """A file where a folder was, and a folder where a file was."""
    tables = sorted(child for child in (base / "tables").iterdir() if child.is_dir())
    shutil.rmtree(tables[0])
    tables[0].write_text("was a table")
    (tables[1] / "current.csv").unlink()
    (tables[1] / "current.csv" / "inner").mkdir(parents=True)


def _truncate(base: Path) -> None:
    for path in (base / "tables").rglob("current.csv"):
        path.write_bytes(path.read_bytes()[:3])


def _make_what_hides(base: Path) -> None:
    """What is easily left behind: dotfiles, loose files, folders, links and FIFOs made since."""
    tables = sorted(child for child in (base / "tables").iterdir() if child.is_dir())
    for folder in (base / "tables", tables[0], base / "indices"):
        (folder / ".since").write_text("hidden")
        (folder / "since.csv").write_text("loose")
        (folder / ".folder since" / "inner").mkdir(parents=True)
        (folder / "dangling since").symlink_to("nowhere")
        os.mkfifo(folder / "pipe since")


@cases(
    "ticket/restore/exact-tree/after",
    "Restore undoes what happened since the backup: {variant}.",
    {
        "everything-deleted": _delete_all,
        "modes-changed": _change_modes,
        "modes-of-the-roots-changed": _change_root_modes,
        "files-and-folders-swapped": _swap_kinds,
        "symlinks-put-in-place": _link_away,
        "files-truncated": _truncate,
        "same-size-and-mtime": edit_unseen,
        "made-what-hides": _make_what_hides,
    },
)
def test_restore_undoes(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Callable[[Path], None]
) -> None:
    expected = live_tree(reedbackup_db)
    target = backup_around(reedbackup, reedbackup_db)
    variant(reedbackup_db)
    outside = Tree.read(reedbackup_db.parent / "outside")
    reedbackup.restored(reedbackup_db, target)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)
    expect_same_tree("what is outside", Tree.read(reedbackup_db.parent / "outside"), outside)


@case(
    "ticket/restore/others-untouched",
    "Restore leaves registry/, backups/ and everything else in the base as they were.",
)
def test_restore_leaves_all_else_alone(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    target = backup_around(reedbackup, reedbackup_db)
    change_everything(reedbackup_db)
    (reedbackup_db / "registry" / "users.dict").write_text("code|username|created_at\n0|new|1\n")
    (reedbackup_db / "registry" / "since").mkdir()
    (reedbackup_db / "settings.toml").write_text("kept = true\n")
    (reedbackup_db / "cache" / "empty").mkdir(parents=True)
    (reedbackup_db / "backups" / "notes.txt").write_text("kept")
    # Another name of a live file: who writes into the live file writes here too.
    snapshot = reedbackup_db / "cache" / "snapshot.csv"
    os.link(min(reedbackup_db.glob("tables/*/current.csv")), snapshot)
    before, around = other_tree(reedbackup_db), sorted(reedbackup_db.parent.iterdir())
    mode = mode_of(reedbackup_db)
    reedbackup.restored(reedbackup_db, target)
    after = other_tree(reedbackup_db)
    expect_same_tree("everything else in the base", after, before)
    expect("the base's own mode", f"{mode_of(reedbackup_db):04o}", f"{mode:04o}")
    # A lock of the implementation's own may well be touched.
    names = [*before.entries.keys() & {"settings.toml", "backups/notes.txt"}]
    names += [name for name in before.entries if name.endswith((".tar.gz", ".dict"))]
    touched = [n for n in names if before.entries[n].mtime_ns != after.entries[n].mtime_ns]
    expect("files with another mtime after a restore", touched, [])
    expect("the folder around the base", sorted(reedbackup_db.parent.iterdir()), around)


@case(
    "ticket/restore/others-untouched/backups",
    "Restore leaves every file in backups/, more than are kept or unreadable, and makes nothing.",
)
def test_restore_leaves_every_file_in_backups(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    shutil.rmtree(reedbackup_db / "registry")
    target = backup_around(reedbackup, reedbackup_db)
    backups = reedbackup_db / "backups"
    sound = (backups / f"{target + 1}.tar.gz").read_bytes()
    for number in range(RETENTION + 3):
        (backups / f"{1000 + number}.tar.gz").write_bytes(sound)
    for number, damage in enumerate(UNREADABLE.values()):
        (backups / f"{2000 + number}.tar.gz").write_bytes(damage(sound))
    change_everything(reedbackup_db)
    before = other_tree(reedbackup_db)
    # Which of them it takes, and whether it can, is for the cases of restore/pick.
    reedbackup.restore_point_in_time(reedbackup_db, target)
    expect_same_tree("everything else in the base", other_tree(reedbackup_db), before)


@case(
    "ticket/restore/others-untouched/archived",
    "Whatever an archive holds of registry/ and backups/ is not restored.",
)
def test_restore_writes_nothing_of_registry_or_backups(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    reedbackup.created(reedbackup_db)
    members = [
        *(folder_member(name) for name in ("tables", "tables/text", "registry", "backups")),
        file_member("tables/text/current.csv", b"key|value\n"),
        file_member("registry/users.dict", b"planted"),
        file_member("backups/notes.txt", b"planted"),
    ]
    pack_members(reedbackup_db / "backups" / "1700000000.tar.gz", members)
    before = other_tree(reedbackup_db)
    # Whether it is refused or those members are passed over: nothing of them is written.
    reedbackup.restore_point_in_time(reedbackup_db, 1_700_000_000)
    expect_same_tree("everything else in the base", other_tree(reedbackup_db), before)


@cases(
    "ticket/restore/report",
    "The report's tables_restored and total_bytes are right ({variant} database).",
    {"small": SMALL, "awkward": AWKWARD, "empty": EMPTY},
)
def test_the_report_counts_what_was_restored(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    (base / "tables" / "loose.txt").write_text("no table, but restored")
    tables = sum(child.is_dir() for child in (base / "tables").iterdir())
    total = sum(entry.size for entry in live_tree(base).entries.values())
    target = backup_around(reedbackup, base)
    repeated = _bytes_of_further_names(base)
    change_everything(base)
    report = reedbackup.restored(base, target)
    expect("tables_restored", report.tables_restored, tables)
    # A file with two names may be restored as one file or as two.
    expect_that(
        report.total_bytes in (total, total - repeated),
        "total_bytes",
        expected=str(total),
        found=report.total_bytes,
    )


@case("ticket/restore/report/duration", "duration_ms is the milliseconds that the restore took.")
def test_the_report_tells_the_duration(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(AWKWARD)
    target = backup_around(reedbackup, base)
    answer = reedbackup.restore_point_in_time(base, target)
    value_of(answer, f"restore_point_in_time to {target}")
    assert isinstance(answer, Answered)
    took_ms = answer.elapsed_ns / 10**6
    # Rounding up is allowed, and leaving out some of the call's ends: but no other unit.
    expect_that(
        took_ms / 4 - 2 <= answer.value.duration_ms <= took_ms + 1,
        "duration_ms",
        expected=f"about {took_ms:.0f}, the time of the call",
        found=answer.value.duration_ms,
    )


@case("ticket/restore/idempotent", "The same restore twice gives the same tree.")
def test_the_same_restore_twice_gives_the_same_tree(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    expected = live_tree(reedbackup_db)
    target = backup_around(reedbackup, reedbackup_db)
    change_everything(reedbackup_db)
    for turn in ("first", "second", "third"):
        if turn == "third":
            change_everything(reedbackup_db)
        reedbackup.restored(reedbackup_db, target)
        expect_same_tree(f"the tree after the {turn}", live_tree(reedbackup_db), expected)


def _bytes_of_further_names(base: Path) -> int:
    """How many bytes hard links count more than once."""
    seen: set[int] = set()
    repeated = 0
    for path in (path for root in ROOTS for path in (base / root).rglob("*")):
        found = path.lstat()
        if found.st_nlink > 1 and found.st_ino in seen:
            repeated += found.st_size
        seen.add(found.st_ino)
    return repeated
