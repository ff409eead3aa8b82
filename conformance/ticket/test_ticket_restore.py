"""restore_point_in_time under contract `ticket`: which backup, and what it leaves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.archives import ROOTS, file_member, folder_member, pack, pack_members
from pytest_reedbackup.bases import (
    archive_of,
    backup_around,
    backup_at,
    break_hard_links,
    change_everything,
    live_tree,
    other_tree,
    share_with_a_group,
)
from pytest_reedbackup.cases import case, cases
from pytest_reedbackup.databases import edits
from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.databases.spec import AWKWARD, EMPTY, MANY_TABLES, SMALL, Spec
from pytest_reedbackup.databases.tree import Tree
from pytest_reedbackup.implementations.client import Answered, Refused
from pytest_reedbackup.promises import (
    MissingCapability,
    expect,
    expect_same_tree,
    expect_that,
    refusal_of,
    value_of,
)
from pytest_reedbackup.subject import Subject

MakeDatabase = Callable[[Spec], Path]

U64_MAX = 2**64 - 1


class History:
    """Three backups of three different trees, each three seconds after the one before.

    Where the clock cannot be set, they are the implementation's `own` after real
    seconds, or plain archives without waiting.
    """

    # As text, 99999997 sorts after 100000000.
    TIMES = (99_999_997, 100_000_000, 100_000_003)

    def __init__(self, reedbackup: Subject, base: Path, *, own: bool = False) -> None:
        self.base = base
        self.trees: list[Tree] = []
        self.times: list[int] = []
        waits = own and not reedbackup.clock.is_settable
        for number, seconds in enumerate(self.TIMES):
            table = sorted(child for child in (base / "tables").iterdir() if child.is_dir())[0]
            newest = edits.newest_version(table) or 0
            edits.write_version(table, b"key|value\nversion|%d\n" % number, newest + 1)
            self.trees.append(live_tree(base))
            if waits:
                reedbackup.clock.advance(3 if number else 0)
                made = reedbackup.created(base)
                backup_id, time = made.id, made.timestamp
            else:
                backup_id, time = backup_at(reedbackup, base, seconds)
            self.times.append(time)
            # A copied or synchronised archive carries any time: here, the oldest the latest.
            os.utime(archive_of(base, backup_id), (2 * 10**9 - number, 2 * 10**9 - number))

    def copy(self, name: str) -> Path:
        """A copy of the base, for a restore that no other restore went before."""
        copy = self.base.parent / name / self.base.name
        copy.parent.mkdir()
        clone_tree(self.base, copy)
        return copy


@case("ticket/restore/exact-tree", "Restore makes tables/ and indices/ what they were.")
def test_restore_point_in_time(reedbackup: Subject, reedbackup_db: Path) -> None:
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
    reedbackup: Subject, reedbackup_make_db: MakeDatabase, variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    expected = live_tree(base)
    target = backup_around(reedbackup, base)
    shutil.rmtree(base / "tables")
    (base / "tables" / "since").mkdir(parents=True)
    (base / "tables" / "since" / "current.csv").write_text("key|value\n")
    (base / "indices" / "since").mkdir(parents=True)
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


def _same_size_edit(base: Path) -> None:
    """Another content of the same size under the same mtime."""
    for path in (base / "tables").rglob("current.csv"):
        content, status = path.read_bytes(), path.stat()
        path.write_bytes(content[:-2] + b"\0" + content[-1:])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


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
        "same-size-and-mtime": _same_size_edit,
    },
)
def test_restore_undoes(
    reedbackup: Subject, reedbackup_db: Path, variant: Callable[[Path], None]
) -> None:
    expected = live_tree(reedbackup_db)
    target = backup_around(reedbackup, reedbackup_db)
    variant(reedbackup_db)
    outside = Tree.read(reedbackup_db.parent / "outside")
    reedbackup.restored(reedbackup_db, target)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)
    expect_same_tree("what is outside", Tree.read(reedbackup_db.parent / "outside"), outside)


@case(
    "ticket/restore/exact-tree/modes",
    "Restore brings back the modes of what a group writes to, setgid folders among it.",
)
def test_restore_brings_back_the_modes_of_a_shared_database(
    reedbackup: Subject, reedbackup_db: Path
) -> None:
    share_with_a_group(reedbackup_db)
    expected = live_tree(reedbackup_db)
    target = backup_around(reedbackup, reedbackup_db)
    _change_modes(reedbackup_db)
    reedbackup.restored(reedbackup_db, target)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)


@case("ticket/restore/pick", "Restore takes the newest backup at or before the target.")
def test_restore_takes_the_newest_at_or_before(reedbackup: Subject, reedbackup_db: Path) -> None:
    history = History(reedbackup, reedbackup_db, own=True)
    first, second, third = history.times
    expected_by_target = {
        first: 0,
        first + 1: 0,
        second - 1: 0,
        second: 1,
        second + 1: 1,
        third: 2,
        third + 1000: 2,
        # Also as text it comes after them all, of which the first is then the last.
        int("9" * len(str(third))): 2,
    }
    for target, number in expected_by_target.items():
        base = history.copy(f"to {target}")
        change_everything(base)
        reedbackup.restored(base, target)
        what = f"the tree after a restore to {target} of backups at {history.times}"
        expect_same_tree(what, live_tree(base), history.trees[number])


@case(
    "ticket/restore/pick/tie", "Of two backups of one second, restore takes the one created last."
)
def test_restore_takes_the_latest_created_of_one_second(
    reedbackup: Subject, reedbackup_db: Path
) -> None:
    first = reedbackup.created(reedbackup_db)
    change_everything(reedbackup_db)
    later = live_tree(reedbackup_db)
    second = reedbackup.created(reedbackup_db)
    change_everything(reedbackup_db)
    reedbackup.restored(reedbackup_db, max(first.timestamp, second.timestamp))
    expect_same_tree("the tree", live_tree(reedbackup_db), later)


@case("ticket/restore/none", "Where every backup is later, restore answers BackupNotFound.")
def test_restore_missing_backup(reedbackup: Subject, reedbackup_db: Path) -> None:
    oldest = 1_000_000_000
    for seconds in (oldest + 5, oldest):
        backup_at(reedbackup, reedbackup_db, seconds)
    change_everything(reedbackup_db)
    before = Tree.read(reedbackup_db)
    target = oldest - 1
    answer = reedbackup.restore_point_in_time(reedbackup_db, target)
    refusal = refusal_of(answer, f"a restore to {target}", ("BackupNotFound",))
    expect_same_tree("the base", Tree.read(reedbackup_db), before)
    _expect_figure(refusal, "target", target)
    _expect_figure(refusal, "oldest timestamp there is", oldest)


@case("ticket/restore/none/no-backups", "Without any backup restore answers BackupNotFound.")
def test_restore_without_backups(reedbackup: Subject, reedbackup_db: Path) -> None:
    before = Tree.read(reedbackup_db)
    answer = reedbackup.restore_point_in_time(reedbackup_db, 1_800_000_000)
    refusal = refusal_of(answer, "a restore", ("BackupNotFound",))
    expect_same_tree("the base", Tree.read(reedbackup_db), before)
    _expect_figure(refusal, "target", 1_800_000_000)


@case(
    "ticket/restore/none/no-base",
    "A restore of a base that is not there is refused, and nothing is created.",
)
def test_restore_without_a_base(reedbackup: Subject, reedbackup_db: Path) -> None:
    before = Tree.read(reedbackup_db.parent)
    typo = reedbackup_db.parent / "typo" / ".reed"
    refusal_of(reedbackup.restore_point_in_time(typo, 1_800_000_000), "a restore")
    expect_same_tree("the folder around", Tree.read(reedbackup_db.parent), before)


@case(
    "ticket/restore/others-untouched",
    "Restore leaves registry/, backups/ and everything else in the base as they were.",
)
def test_restore_leaves_all_else_alone(reedbackup: Subject, reedbackup_db: Path) -> None:
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
    reedbackup.restored(reedbackup_db, target)
    expect_same_tree("everything else in the base", other_tree(reedbackup_db), before)
    expect("the folder around the base", sorted(reedbackup_db.parent.iterdir()), around)


@case(
    "ticket/restore/others-untouched/archived",
    "Whatever an archive holds of registry/ and backups/ is not restored.",
)
def test_restore_writes_nothing_of_registry_or_backups(
    reedbackup: Subject, reedbackup_db: Path
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
    {"small": SMALL, "awkward": AWKWARD, "many-tables": MANY_TABLES, "empty": EMPTY},
)
def test_the_report_counts_what_was_restored(
    reedbackup: Subject, reedbackup_make_db: MakeDatabase, variant: Spec
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
    reedbackup: Subject, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(AWKWARD)
    target = backup_around(reedbackup, base)
    answer = reedbackup.restore_point_in_time(base, target)
    value_of(answer, f"restore_point_in_time to {target}")
    assert isinstance(answer, Answered)
    took_ms = answer.elapsed_ns / 10**6
    # Rounding up is allowed, and leaving out some of the call's ends: but no other unit.
    expect_that(
        took_ms / 10 - 2 <= answer.value.duration_ms <= took_ms + 1,
        "duration_ms",
        expected=f"about {took_ms:.0f}, the time of the call",
        found=answer.value.duration_ms,
    )


@case("ticket/restore/idempotent", "The same restore twice gives the same tree.")
def test_the_same_restore_twice_gives_the_same_tree(
    reedbackup: Subject, reedbackup_db: Path
) -> None:
    expected = live_tree(reedbackup_db)
    target = backup_around(reedbackup, reedbackup_db)
    change_everything(reedbackup_db)
    for turn in ("first", "second", "third"):
        if turn == "third":
            change_everything(reedbackup_db)
        reedbackup.restored(reedbackup_db, target)
        expect_same_tree(f"the tree after the {turn}", live_tree(reedbackup_db), expected)


@case("ticket/restore/idempotent/sequence", "A restore after a restore works, back and forth.")
def test_restores_follow_restores(reedbackup: Subject, reedbackup_db: Path) -> None:
    history = History(reedbackup, reedbackup_db)
    for number in (0, 2, 1, 0, 2):
        reedbackup.restored(reedbackup_db, history.times[number])
        what = f"the tree after the restore to backup {number + 1}"
        expect_same_tree(what, live_tree(reedbackup_db), history.trees[number])


@cases(
    "ticket/restore/extremes",
    "A restore to the target {variant} follows the same rule.",
    {
        "0": lambda times: (0, None),
        "1": lambda times: (1, None),
        "exact-minus-1": lambda times: (times[0] - 1, None),
        "exact": lambda times: (times[0], 0),
        "exact-plus-1": lambda times: (times[0] + 1, 0),
        "2^32": lambda times: (2**32, 2),
        "2^53+1": lambda times: (2**53 + 1, 2),
        "2^63-1": lambda times: (2**63 - 1, 2),
        "2^63": lambda times: (2**63, 2),
        "2^64-1": lambda times: (U64_MAX, 2),
    },
)
def test_extreme_targets_follow_the_rule(
    reedbackup: Subject,
    reedbackup_db: Path,
    variant: Callable[[list[int]], tuple[int, int | None]],
) -> None:
    history = History(reedbackup, reedbackup_db)
    target, number = variant(history.times)
    change_everything(reedbackup_db)
    before = live_tree(reedbackup_db)
    answer = reedbackup.restore_point_in_time(reedbackup_db, target)
    if number is None:
        refusal_of(answer, f"a restore to {target}", ("BackupNotFound",))
        expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), before)
    else:
        reedbackup.restored(reedbackup_db, target)
        expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), history.trees[number])


@cases(
    "ticket/restore/extremes/backup-of",
    "A backup of the second {variant} is found by the targets at and after it.",
    {"0": 0, "1": 1, "2^31": 2**31, "2^32": 2**32, "2^63": 2**63, "2^64-1": U64_MAX},
)
def test_backups_of_extreme_seconds_are_found(
    reedbackup: Subject, reedbackup_db: Path, variant: int
) -> None:
    expected = live_tree(reedbackup_db)
    pack(reedbackup_db, reedbackup_db / "backups" / f"{variant}.tar.gz")
    change_everything(reedbackup_db)
    expect(
        "its timestamp in the list",
        [i.timestamp for i in reedbackup.listed(reedbackup_db)],
        [variant],
    )
    if variant:
        answer = reedbackup.restore_point_in_time(reedbackup_db, variant - 1)
        refusal_of(answer, f"a restore to {variant - 1}", ("BackupNotFound",))
    reedbackup.restored(reedbackup_db, variant)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)


@cases(
    "ticket/restore/foreign-archive",
    "A plain tar.gz of tables/ and indices/ named {{unix seconds}}.tar.gz restores ({variant}).",
    {"gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT, "ustar": tarfile.USTAR_FORMAT},
)
def test_a_plain_archive_restores(reedbackup: Subject, reedbackup_db: Path, variant: int) -> None:
    expected = live_tree(reedbackup_db)
    pack(reedbackup_db, reedbackup_db / "backups" / "1700000000.tar.gz", tar_format=variant)
    change_everything(reedbackup_db)
    report = reedbackup.restored(reedbackup_db, 1_700_000_000)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)
    expect("tables_restored", report.tables_restored, 3)


@cases(
    "ticket/restore/foreign-archive/tar-czf",
    "What `tar czf` packed of the {variant} database restores.",
    {"small": SMALL, "awkward": AWKWARD, "empty": EMPTY},
)
def test_what_tar_packed_restores(
    reedbackup: Subject, reedbackup_make_db: MakeDatabase, variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    break_hard_links(base)
    expected = live_tree(base)
    (base / "backups").mkdir()
    roots = [root for root in ("tables", "indices") if (base / root).is_dir()]
    archive = base / "backups" / "1700000000.tar.gz"
    subprocess.run(["tar", "czf", str(archive), "-C", str(base), *roots], check=True)
    change_everything(base)
    reedbackup.restored(base, 1_700_000_000)
    expect_same_tree("tables/ and indices/", live_tree(base), expected)


@case("ticket/restore/foreign-archive/listed", "List shows a plain archive of others as a backup.")
def test_a_plain_archive_is_listed(reedbackup: Subject, reedbackup_db: Path) -> None:
    archive = pack(reedbackup_db, reedbackup_db / "backups" / "1700000000.tar.gz")
    (info,) = reedbackup.listed(reedbackup_db) or [None]
    expect_that(info is not None, "list_backups", expected="the one backup", found=[])
    expect("its timestamp", info.timestamp, 1_700_000_000)
    expect("its size_bytes", info.size_bytes, archive.stat().st_size)
    expect("its table_count", info.table_count, 3)
    expect("its archive", archive_of(reedbackup_db, info.id), archive)


@cases(
    "ticket/restore/foreign-archive/interchange",
    "What every implementation of the run backed up of the {variant} database restores.",
    {"small": SMALL, "awkward": AWKWARD},
)
def test_archives_are_interchangeable(
    reedbackup: Subject,
    reedbackup_all: list[Subject],
    reedbackup_make_db: MakeDatabase,
    variant: Spec,
) -> None:
    makers = [maker for maker in reedbackup_all if maker.claims(reedbackup.contract)]
    if not makers:
        sentence = "no implementation of the run claims it, so there are no archives of others"
        raise MissingCapability(f"archives of contract {reedbackup.contract}", sentence)
    for maker in makers:
        source, base = reedbackup_make_db(variant), reedbackup_make_db(variant)
        break_hard_links(source)
        answer = maker.create_backup(source)
        if not isinstance(answer, Answered):
            # Its own cases say so; it is no fault of the one that restores.
            continue
        # The one name that every implementation must know.
        archive = base / "backups" / f"{answer.value.timestamp}.tar.gz"
        archive.parent.mkdir()
        shutil.copy(archive_of(source, answer.value.id), archive)
        expected = live_tree(base)
        change_everything(base)
        what = f"a restore of an archive made by {maker.implementation.option!r}"
        value_of(reedbackup.restore_point_in_time(base, answer.value.timestamp), what)
        expect_same_tree(f"the tree after {what}", live_tree(base), expected)


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


def _expect_figure(refusal: Refused, what: str, figure: int) -> None:
    """A field holds the figure, whatever the field's name and whatever it is wrapped in."""
    expect_that(
        any(re.search(rf"\b{figure}\b", str(value)) for value in refusal.fields.values()),
        f"the fields of {refusal.kind} hold the {what}",
        expected=str(figure),
        found=refusal.fields,
    )
