"""The archive that create_backup writes under contract `ticket`, and what create leaves alone."""

from __future__ import annotations

from pathlib import Path

from pytest_reedbackup.checks.archive_tools import expect_accepted
from pytest_reedbackup.checks.backups import archive_of, backup_around
from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.contracts.ticket import COMPRESSION_LIMIT
from pytest_reedbackup.databases.archives import (
    decompress_one_member,
    normal_name,
    read_members,
    read_tree,
)
from pytest_reedbackup.databases.changes import (
    edit_unseen,
    share_with_a_group,
    under_another_name,
)
from pytest_reedbackup.databases.spec import AWKWARD, SMALL, DatabaseSpec, Spec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.base import (
    ROOTS,
    backups_listing,
    below_roots,
    live_tree,
    source_tree,
    with_cleared_bits_back,
)
from pytest_reedbackup.views.tree import Tree

# A tar header holds whole seconds.
_SECOND_NS = 10**9


@case(
    "ticket/create/archive",
    "Create writes one gzip member that holds a plain tar to backups/{id}.tar.gz.",
)
def test_create_backup(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    archive = archive_of(reedbackup_db, reedbackup.created(reedbackup_db).id)
    expect_that(
        archive.is_file() and not archive.is_symlink(),
        "the archive of the backup that create returned",
        expected=f"a regular file {archive.name} in backups/",
        found=backups_listing(reedbackup_db),
    )
    decompress_one_member(archive)
    names = [normal_name(member) for member in read_members(archive)]
    expect_that(
        any(name.split("/")[0] == "tables" for name in names),
        "the members of the archive",
        expected="members below tables/",
        found=names[:10],
    )


@case("ticket/create/archive/tools", "`gzip -t` and `tar tzf` accept the archive.")
def test_gzip_and_tar_accept_the_archive(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    archive = archive_of(reedbackup_db, reedbackup.created(reedbackup_db).id)
    expect_accepted(archive)


@case(
    "ticket/create/archive/base-of-any-name",
    "Create writes to backups/ of the base, whatever the base is called.",
)
def test_the_base_may_have_any_name(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    base = under_another_name(reedbackup_db)
    archive = archive_of(base, reedbackup.created(base).id)
    expect(f"the files in backups/ of {base.name!r}", archive.name in backups_listing(base), True)


@cases(
    "ticket/create/content",
    "The archive holds every file and folder under tables/ and indices/ ({variant} database).",
    {"small": SMALL, "awkward": AWKWARD},
)
def test_the_archive_holds_the_whole_database(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    source = live_tree(base)
    archived = read_tree(archive_of(base, reedbackup.created(base).id))
    expect_same_tree("the archive's members", below_roots(archived), below_roots(source))


@case("ticket/create/content/mtime", "The archive keeps the mtime of every file and folder.")
def test_the_archive_keeps_mtimes(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(AWKWARD)
    source = live_tree(base).entries
    archived = read_tree(archive_of(base, reedbackup.created(base).id)).entries
    after = live_tree(base).entries
    for name in sorted(source.keys() & archived.keys()):
        expected, found = source[name].mtime_ns, archived[name].mtime_ns
        # Who locks a table first may touch its .lock by that, and archive it so.
        others = [after[name].mtime_ns] if name in after else []
        expect_that(
            any(abs(mtime_ns - found) < _SECOND_NS for mtime_ns in (expected, *others)),
            f"the mtime of {name!r} in the archive",
            expected=f"{expected / _SECOND_NS:.3f} s, to the second",
            found=f"{found / _SECOND_NS:.3f} s",
        )


@case(
    "ticket/create/content/modes",
    "The archive keeps the mode of what a group writes to, setgid folders among it.",
)
def test_the_archive_keeps_the_modes_of_a_shared_database(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    share_with_a_group(reedbackup_db)
    source = live_tree(reedbackup_db)
    archived = read_tree(archive_of(reedbackup_db, reedbackup.created(reedbackup_db).id))
    found = with_cleared_bits_back(archived, source)
    expect_same_tree("the archive's members", below_roots(found), below_roots(source))


@case(
    "ticket/create/content/again",
    "A later archive holds the whole database too, as it is by then.",
)
def test_a_later_archive_holds_the_whole_database_too(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    reedbackup.created(reedbackup_db)
    reedbackup.clock.advance()
    # Most of it is as before; what changed looks the same from outside.
    edit_unseen(reedbackup_db)
    source = live_tree(reedbackup_db)
    archive = archive_of(reedbackup_db, reedbackup.created(reedbackup_db).id)
    expect_same_tree(
        "the members of the second", below_roots(read_tree(archive)), below_roots(source)
    )


@case("ticket/create/content/nothing-else", "The archive holds nothing of backups/ or registry/.")
def test_the_archive_holds_nothing_of_backups_or_registry(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    reedbackup.created(reedbackup_db)
    reedbackup.clock.advance()
    archive = archive_of(reedbackup_db, reedbackup.created(reedbackup_db).id)
    names = [normal_name(member) for member in read_members(archive)]
    own = (reedbackup_db.name, reedbackup_db.resolve().name)
    stray = [
        name
        for name in names
        if any(part in ("backups", "registry") for part in name.split("/")[:2] if part not in own)
        and name.split("/")[0] not in ROOTS
    ]
    expect("members of backups/ or registry/", stray, [])


@case(
    "ticket/create/compression",
    "The archive of the 10k-row database is at most 35 % of the summed file sizes.",
)
def test_backup_compression(reedbackup: TicketImplementation, reedbackup_db_10k: Path) -> None:
    total = sum(entry.size for entry in live_tree(reedbackup_db_10k).entries.values())
    made = reedbackup.created(reedbackup_db_10k)
    size = archive_of(reedbackup_db_10k, made.id).stat().st_size
    expect_that(
        size <= COMPRESSION_LIMIT * total,
        "the archive's size",
        expected=f"at most {COMPRESSION_LIMIT * total:.0f} of {total} bytes",
        found=f"{size} bytes ({size / total:.1%})",
    )


@cases(
    "ticket/create/source-untouched",
    "Create leaves tables/, indices/ and registry/ as they were ({variant} database).",
    {"small": SMALL, "awkward": AWKWARD},
)
def test_create_leaves_the_source_untouched(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    for lock in base.glob("tables/*/.lock"):
        # A table without one must not get one either.
        lock.unlink()
        break
    before = source_tree(base)
    for call in ("the first", "the second"):
        reedbackup.created(base)
        reedbackup.clock.advance()
        after = source_tree(base)
        for root in (*ROOTS, "registry"):
            what = f"{root}/ after {call} create_backup"
            expect_same_tree(what, _at(root, after), _at(root, before))
    # Who locks a table may well touch its .lock, or make and remove a file in its folder.
    files = [name for name, entry in before.entries.items() if entry.kind == "file"]
    touched = [
        name
        for name in files
        if not name.endswith(".lock")
        and before.entries[name].mtime_ns != after.entries[name].mtime_ns
    ]
    expect("files with another mtime after create_backup", touched, [])


@case("ticket/create/no-indices", "Without indices/ create succeeds, and restore makes none.")
def test_a_base_without_indices_is_backed_up(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(DatabaseSpec(tables=2, rows=6))
    reedbackup.restore_point_in_time(base, backup_around(reedbackup, base))
    expect("whether there is an indices/ after a restore", (base / "indices").exists(), False)


def _at(root: str, tree: Tree) -> Tree:
    return Tree({n: e for n, e in tree.entries.items() if n == root or n.startswith(f"{root}/")})
