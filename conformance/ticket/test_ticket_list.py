"""list_backups under contract `ticket`: what is listed, in which order, and at no cost."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of, backup_at
from pytest_reedbackup.checks.expectations import expect, expect_same_tree
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import RETENTION
from pytest_reedbackup.databases.archives import UNREADABLE, pack
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.injection.mounts import mounted_read_only
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tree import Tree


@case("ticket/list/order", "List shows the newest backup first.")
def test_list_backups(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    made = []
    for _ in range(3):
        made.append(reedbackup.created(reedbackup_db))
        change_everything_once(reedbackup_db)
        reedbackup.clock.advance()
    expect("list_backups", reedbackup.listed(reedbackup_db), made[::-1])


@case("ticket/list/order/by-time", "The order is that of the timestamps, not that of creation.")
def test_list_orders_by_timestamp(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    # Of different lengths too: as text, 999999999 sorts after 1000000000.
    seconds = (1_800_000_000, 999_999_999, 1_700_000_000, 1_000_000_000)
    made = [backup_at(reedbackup, reedbackup_db, time) for time in seconds]
    listed = [info.timestamp for info in reedbackup.listed(reedbackup_db)]
    # Whether create keeps them all is create/retention's promise.
    kept = {time for backup_id, time in made if archive_of(reedbackup_db, backup_id).is_file()}
    expect("the timestamps of list_backups", listed, sorted(kept, reverse=True))


@case("ticket/list/order/extremes", "The order holds for times of any size.")
def test_list_orders_times_of_any_size(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    seconds = (2**53 + 1, 5, 2**63, 2**32 + 7, 2**64 - 1, 2**31, 2**53, 2**63 - 1)
    for time in seconds:
        pack(reedbackup_db, archive_of(reedbackup_db, str(time)))
    listed = [info.timestamp for info in reedbackup.listed(reedbackup_db)]
    # That archives of others are shown at all is restore/foreign-archive's promise.
    expect("the timestamps of list_backups", listed, sorted(listed, reverse=True))


@case("ticket/list/order/anew", "List says what there is now, not what there was.")
def test_list_looks_anew(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    made = []
    for _ in range(3):
        made.append(reedbackup.created(reedbackup_db))
        reedbackup.clock.advance()
    reedbackup.listed(reedbackup_db)
    # By another process, say.
    archive_of(reedbackup_db, made[1].id).unlink()
    expect("list_backups", reedbackup.listed(reedbackup_db), [made[2], made[0]])


@case("ticket/list/order/ties", "Of equal timestamps, the backup created last comes first.")
def test_list_shows_the_latest_created_of_one_second_first(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    made = []
    for _ in range(12):
        made.append(reedbackup.created(reedbackup_db).id)
    listed = [info.id for info in reedbackup.listed(reedbackup_db)]
    expect("the ids of list_backups", listed, made[::-1])


@cases(
    "ticket/list/empty",
    "List gives an empty list, no error, and creates nothing: {variant}.",
    {"no-backups-folder": ".reed", "empty-backups-folder": "empty", "no-base": "typo/.reed"},
)
def test_list_of_no_backups_is_empty(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: str
) -> None:
    (reedbackup_db.parent / "empty" / "backups").mkdir(parents=True)
    before = Tree.read(reedbackup_db.parent)
    listed = reedbackup.listed(reedbackup_db.parent / variant)
    expect("list_backups", listed, [])
    expect_same_tree("the folder around", Tree.read(reedbackup_db.parent), before, mtime=True)


FOREIGN_NAMES = {
    "plus-sign": "+5.tar.gz",
    "leading-zeros": "007.tar.gz",
    "double-zero": "00.tar.gz",
    "a-word": "before-migration.tar.gz",
    "no-name": ".tar.gz",
    "tgz": "5.tgz",
    "upper-case": "5.TAR.GZ",
    "not-gzip-by-name": "5.tar",
    "suffix": "5.tar.gz.bak",
    "partial": "5.tar.gz.tmp",
    "prefix": "tmp-5.tar.gz",
    "hidden": ".5.tar.gz",
    "exponent": "1e9.tar.gz",
    "underscores": "1_000_000.tar.gz",
    "negative": "-5.tar.gz",
    "minus-zero": "-0.tar.gz",
    "space": " 5.tar.gz",
    "space-after": "5 .tar.gz",
    "line-end": "5.tar.gz\n",
    "hexadecimal": "0x5.tar.gz",
    "other-digits": "\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC-INDIC DIGIT TWO}.tar.gz",
    "over-u64": "18446744073709551616.tar.gz",
}


@cases(
    "ticket/list/foreign", "List ignores an archive under another name: {variant}.", FOREIGN_NAMES
)
def test_list_ignores_other_names(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: str
) -> None:
    made = reedbackup.created(reedbackup_db)
    pack(reedbackup_db, reedbackup_db / "backups" / variant)
    expect("list_backups", reedbackup.listed(reedbackup_db), [made])


@case("ticket/list/foreign/folder", "List ignores a folder under an archive's name.")
def test_list_ignores_folders(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    made = reedbackup.created(reedbackup_db)
    (reedbackup_db / "backups" / "1700000000.tar.gz").mkdir()
    expect("list_backups", reedbackup.listed(reedbackup_db), [made])


@cases(
    "ticket/list/foreign/symlink",
    "List ignores a symlink under an archive's name ({variant}).",
    {"to-an-archive": True, "dangling": False},
)
def test_list_ignores_symlinks(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: bool
) -> None:
    made = reedbackup.created(reedbackup_db)
    elsewhere = reedbackup_db.parent / "elsewhere.tar.gz"
    if variant:
        shutil.copy(archive_of(reedbackup_db, made.id), elsewhere)
    (reedbackup_db / "backups" / "1700000000.tar.gz").symlink_to(elsewhere)
    expect("list_backups", reedbackup.listed(reedbackup_db), [made])


@cases(
    "ticket/list/unreadable",
    "What cannot be a complete backup is not listed as one: {variant}.",
    UNREADABLE,
)
def test_list_leaves_out_what_cannot_be_a_backup(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Callable[[bytes], bytes]
) -> None:
    made = reedbackup.created(reedbackup_db)
    sound = archive_of(reedbackup_db, made.id).read_bytes()
    (reedbackup_db / "backups" / "1700000000.tar.gz").write_bytes(variant(sound))
    expect("list_backups", reedbackup.listed(reedbackup_db), [made])


@case("ticket/list/read-only", "List changes nothing on disk.")
def test_list_changes_nothing(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    made = reedbackup.created(reedbackup_db)
    sound = archive_of(reedbackup_db, made.id).read_bytes()
    (reedbackup_db / "backups" / "5.tar.gz").write_bytes(sound[:20])
    (reedbackup_db / "backups" / "notes.txt").write_text("kept")
    # More than are kept: to prune is for create alone.
    for number in range(RETENTION + 3):
        (reedbackup_db / "backups" / f"{1000 + number}.tar.gz").write_bytes(sound)
    before = Tree.read(reedbackup_db.parent)
    reedbackup.listed(reedbackup_db)
    after = Tree.read(reedbackup_db.parent)
    expect_same_tree("the base after list_backups", after, before, mtime=True)


@case("ticket/list/read-only/file-system", "List works on a file system that is mounted read-only.")
def test_list_works_on_a_read_only_file_system(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    made = reedbackup.created(reedbackup_db)
    with mounted_read_only(reedbackup_db, reedbackup_db.parent / "mounted") as target:
        expect("list_backups", reedbackup.listed(target), [made])


def change_everything_once(base: Path) -> None:
    """Makes the next backup's size differ from the last one's."""
    if not (base / "tables" / "made_since").exists():
        change_everything(base)
