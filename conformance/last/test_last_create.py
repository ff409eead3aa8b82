"""create_backup under contract `last`: the archive, what is said of it, and its defects."""

from __future__ import annotations

import errno
import gzip
import shutil
from collections.abc import Callable
from pathlib import Path
from random import Random

from pytest_reedbackup.checks.archive_tools import expect_accepted
from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.checks.last_creates import busy_file, created, left_by_create
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.databases.archives import pack, read_folder, read_members
from pytest_reedbackup.databases.spec import AWKWARD, EMPTY, SMALL, Spec
from pytest_reedbackup.implementations.answers import refusal_of
from pytest_reedbackup.implementations.tar_failures import is_tar_failure
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.base import backups_listing, source_tree
from pytest_reedbackup.views.tables import os_reason
from pytest_reedbackup.views.tree import ROOT, Tree

KEPT = "1600000000.tar.gz"


def keep(base: Path, name: str = KEPT) -> bytes:
    """An earlier backup, whatever made it; gives its content."""
    content = gzip.compress(Random(name).randbytes(2_000), mtime=0)
    (base / "backups").mkdir(exist_ok=True)
    (base / "backups" / name).write_bytes(content)
    return content


@case("last/create/archive", "Create writes backups/{Unix seconds}.tar.gz.")
def test_the_archive_is_named_by_the_second(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    earliest = reedbackup.clock.seconds()
    info = created(reedbackup, reedbackup_db)
    latest = reedbackup.clock.seconds()
    expect_that(
        earliest <= info.timestamp <= latest,
        "timestamp",
        expected=f"{earliest} to {latest}",
        found=info.timestamp,
    )
    expect("backups/", backups_listing(reedbackup_db), [f"{info.timestamp}.tar.gz"])


@case("last/create/archive/far-away", "In 2043 the archive has the name of a second of 2043.")
def test_the_archive_follows_the_clock(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    reedbackup.clock.set(2_314_000_000)
    info = created(reedbackup, reedbackup_db)
    expect_that(
        2_314_000_000 <= info.timestamp <= 2_314_000_009,
        "timestamp",
        expected="2314000000, as the clock says",
        found=info.timestamp,
    )


@case("last/create/archive/tools", "`gzip -t` and `tar tzf` accept the archive.")
def test_gzip_and_tar_take_the_archive(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    archive = Path(created(reedbackup, reedbackup_db).path)
    expect_accepted(archive)


@cases(
    "last/create/content",
    "The archive holds the whole base folder but for backups/, under its name ({variant}).",
    {"small": SMALL, "awkward": AWKWARD, "no-tables": EMPTY},
)
def test_the_archive_holds_the_whole_base(
    reedbackup: LastImplementation, reedbackup_make_db: Callable[[Spec], Path], variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    (base / "tables" / "link").symlink_to("nowhere")
    (base / "settings").mkdir()
    _expect_archived(reedbackup, base)


@cases(
    "last/create/content/named",
    "The members are below the base folder's own name: {variant}.",
    {"plain": "database", "space": "my data", "unicode": "Größe", "dotted": "a.b.reed"},
)
def test_the_members_are_below_the_bases_name(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: str
) -> None:
    base = reedbackup_db.rename(reedbackup_db.with_name(variant))
    _expect_archived(reedbackup, base)


@case("last/create/content/empty", "An empty folder is a base too: its archive holds just it.")
def test_an_empty_folder_is_archived(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    base = reedbackup_db.with_name("empty")
    base.mkdir()
    _expect_archived(reedbackup, base)


def _expect_archived(reedbackup: LastImplementation, base: Path) -> None:
    """All members must be the base folder and what is in it, backups/ aside (D1, D3)."""
    expected = Tree.read(base, exclude=(".", "backups"))
    archive = Path(created(reedbackup, base).path)
    tops = sorted({member.name.partition("/")[0] for member in read_members(archive)})
    expect("the top of the archive's members", tops, [base.name])
    found = {
        name: entry
        for name, entry in read_folder(archive, base.name).entries.items()
        if name.partition("/")[0] not in ("backups", ROOT)
    }
    expect_same_tree("the archive's members", Tree(found), expected)


@case("last/create/info", "Create says the second, the path, the size, and that in MiB.")
def test_create_describes_the_archive(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    info = created(reedbackup, reedbackup_db)
    path = reedbackup_db / "backups" / f"{info.timestamp}.tar.gz"
    expect("path", info.path, str(path))
    expect("size_bytes", info.size_bytes, path.stat().st_size)
    expect("size_mb", info.size_mb, path.stat().st_size / 1048576)


@case("last/create/info/listed", "List then shows what create returned.")
def test_list_shows_what_was_returned(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    info = created(reedbackup, reedbackup_db)
    expect("list_backups", reedbackup.listed(reedbackup_db), [info])


@case("last/create/source-untouched", "Create leaves everything but backups/ as it was.")
def test_create_leaves_the_source_untouched(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    before = source_tree(reedbackup_db)
    created(reedbackup, reedbackup_db)
    expect_same_tree("the base", source_tree(reedbackup_db), before)


@case(
    "last/create/own-backups",
    "The archive holds backups/ too; where tar notices that it reads its own, create fails.",
    defect="D1",
)
def test_create_archives_own_backups(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    keep(reedbackup_db)
    answer, archive = left_by_create(reedbackup, reedbackup_db)
    archived = read_folder(archive, reedbackup_db.name).entries
    expect_that(
        is_tar_failure(answer) or "backups" in archived,
        "create_backup beside an earlier backup",
        expected="an archive with backups/ in it, or CommandFailed by tar",
        found=f"success, with {sorted({name.partition('/')[0] for name in archived})}",
    )


@case(
    "last/create/own-backups/earlier-ones",
    "Every backup holds all earlier ones, byte for byte.",
    defect="D3",
)
def test_every_backup_holds_the_earlier_ones(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    kept = keep(reedbackup_db)
    _, archive = left_by_create(reedbackup, reedbackup_db)
    archived = read_folder(archive, reedbackup_db.name).entries
    entry = archived.get(f"backups/{KEPT}")
    expect("the size of the earlier backup in the archive", entry and entry.size, len(kept))


@case(
    "last/create/same-second",
    "Of two backups in one second, the second overwrites the first.",
    defect="D4",
)
def test_a_backup_overwrites_that_of_the_same_second(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    for _ in range(9):
        shutil.rmtree(reedbackup_db / "backups", ignore_errors=True)
        reedbackup.clock.advance()
        second = reedbackup.clock.seconds()
        reedbackup.create_backup(reedbackup_db)
        (reedbackup_db / "made-since").write_text("made since")
        reedbackup.create_backup(reedbackup_db)
        if reedbackup.clock.seconds() == second:
            break
    # Whether tar failed (D1) or not, its archives are there (D2).
    left = backups_listing(reedbackup_db)
    expect("backups/ after two backups in one second", len(left), 1)
    archived = read_folder(reedbackup_db / "backups" / left[0], reedbackup_db.name)
    expect("whether the later file is in it", "made-since" in archived.entries, True)


@case(
    "last/create/keeps-all",
    "Create deletes no backup: of 34 all are kept.",
    defect="D5",
)
def test_create_keeps_every_backup(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    names = [f"{1_600_000_000 + number}.tar.gz" for number in range(33)]
    # Whole ones, which a retention would count.
    archives = [pack(reedbackup_db, reedbackup_db / "backups" / name) for name in names]
    contents = {archive.name: archive.read_bytes() for archive in archives}
    _, archive = left_by_create(reedbackup, reedbackup_db)
    expect("backups/", backups_listing(reedbackup_db), sorted([*names, archive.name]))
    kept = {name: (reedbackup_db / "backups" / name).read_bytes() for name in names}
    expect("whether the earlier ones are as they were", kept == contents, True)


@case(
    "last/create/missing-base",
    "A base that does not exist is made, and an archive of nothing is a success.",
    defect="D6",
)
def test_a_missing_base_is_made_and_archived(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    base = reedbackup_db.with_name("typo") / ".reed"
    info = created(reedbackup, base)
    expect("the path", info.path, str(base / "backups" / f"{info.timestamp}.tar.gz"))
    archived = read_folder(Path(info.path), ".reed").entries
    expect("what is archived beside backups/", [n for n in archived if "backups" not in n], [ROOT])


@case("last/create/error/base-is-a-file", "A file for a base is IoError create_backup_dir.")
def test_a_file_for_a_base_is_refused(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    base = reedbackup_db.with_name("file")
    base.write_text("no base")
    refusal = refusal_of(reedbackup.create_backup(base), "create_backup", ("IoError",))
    reason = os_reason(errno.ENOTDIR)
    expect("the fields", refusal.fields, {"operation": "create_backup_dir", "reason": reason})
    expect("the file", base.read_bytes(), b"no base")


@case("last/create/error/no-name", "A base path that ends in .. is IoError get_basename.")
def test_a_base_without_a_name_is_an_io_error(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    base = reedbackup_db / ".."
    refusal = refusal_of(reedbackup.create_backup(base), "create_backup", ("IoError",))
    expected = {"operation": "get_basename", "reason": "Invalid base path"}
    expect("the fields", refusal.fields, expected)


@case(
    "last/create/error/backups-is-a-file", "A file in the place of backups/ is an error; it stays."
)
def test_a_file_for_backups_is_refused(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    (reedbackup_db / "backups").write_text("in the way")
    refusal_of(
        reedbackup.create_backup(reedbackup_db), "create_backup", ("IoError", "CommandFailed")
    )
    expect("backups", (reedbackup_db / "backups").read_bytes(), b"in the way")


@case(
    "last/create/tar-failure",
    "Where tar fails (a file changes as it reads it), create is CommandFailed with tar's words.",
)
def test_a_failure_of_tar_is_command_failed(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    with busy_file(reedbackup_db) as busy:
        answer = reedbackup.create_backup(reedbackup_db)
    refusal = refusal_of(answer, "create_backup of a changing file", ("CommandFailed",))
    expect("the fields", sorted(refusal.fields), ["command", "error"])
    expect("the command", refusal.fields["command"], "tar")
    expect_that(
        busy.name in str(refusal.fields["error"]),
        "the error",
        expected=f"tar's own words, with {busy.name} in them",
        found=refusal.fields["error"],
    )


@case(
    "last/create/tar-failure/listed",
    "A create that failed leaves its archive, and list shows it.",
    defect="D2",
)
def test_a_failed_create_is_listed(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    with busy_file(reedbackup_db):
        answer = reedbackup.create_backup(reedbackup_db)
    refusal_of(answer, "create_backup of a changing file", ("CommandFailed",))
    listed = [Path(info.path).name for info in reedbackup.listed(reedbackup_db)]
    expect("the number of backups after the failure", len(listed), 1)
    expect("list_backups", listed, backups_listing(reedbackup_db))
