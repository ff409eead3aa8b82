"""create_backup under contract `ticket`: the archive, what it says, and what it leaves alone."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.archive_tools import COMMANDS, judged
from pytest_reedbackup.checks.backups import archive_of, backup_around
from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.contracts.ticket import COMPRESSION_LIMIT, RETENTION
from pytest_reedbackup.databases import edits
from pytest_reedbackup.databases.archives import (
    decompress_one_member,
    normal_name,
    pack,
    read_members,
    read_tree,
)
from pytest_reedbackup.databases.changes import (
    change_everything,
    edit_unseen,
    set_file_time,
    share_with_a_group,
    under_another_name,
)
from pytest_reedbackup.databases.spec import AWKWARD, EMPTY, MANY_TABLES, SMALL, DatabaseSpec, Spec
from pytest_reedbackup.implementations.answers import Refused, refusal_of, value_of
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

MakeDatabase = Callable[[Spec], Path]

# A tar header holds whole seconds.
_SECOND_NS = 10**9


@case(
    "ticket/create/archive",
    "Create writes one gzip member that holds a plain tar to backups/{id}.tar.gz.",
)
def test_create_backup(reedbackup: Implementation, reedbackup_db: Path) -> None:
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
def test_gzip_and_tar_accept_the_archive(reedbackup: Implementation, reedbackup_db: Path) -> None:
    archive = archive_of(reedbackup_db, reedbackup.created(reedbackup_db).id)
    for command in COMMANDS:
        ended = judged(command, archive)
        expect_that(
            ended.returncode == 0,
            f"`{' '.join(command)}` on the archive",
            expected="exit status 0",
            found=f"exit status {ended.returncode}: {ended.stderr.strip()}",
        )


@case(
    "ticket/create/archive/base-of-any-name",
    "Create writes to backups/ of the base, whatever the base is called.",
)
def test_the_base_may_have_any_name(reedbackup: Implementation, reedbackup_db: Path) -> None:
    base = under_another_name(reedbackup_db)
    archive = archive_of(base, reedbackup.created(base).id)
    expect(f"the files in backups/ of {base.name!r}", archive.name in backups_listing(base), True)


@cases(
    "ticket/create/content",
    "The archive holds every file and folder under tables/ and indices/ ({variant} database).",
    {"small": SMALL, "awkward": AWKWARD},
)
def test_the_archive_holds_the_whole_database(
    reedbackup: Implementation, reedbackup_make_db: MakeDatabase, variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    source = live_tree(base)
    archived = read_tree(archive_of(base, reedbackup.created(base).id))
    expect_same_tree("the archive's members", below_roots(archived), below_roots(source))


@case("ticket/create/content/mtime", "The archive keeps the mtime of every file and folder.")
def test_the_archive_keeps_mtimes(
    reedbackup: Implementation, reedbackup_make_db: MakeDatabase
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
    reedbackup: Implementation, reedbackup_db: Path
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
    reedbackup: Implementation, reedbackup_db: Path
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
    reedbackup: Implementation, reedbackup_db: Path
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


@case("ticket/create/info", "The BackupInfo that create returns is the first that list shows.")
def test_create_returns_what_list_shows_first(
    reedbackup: Implementation, reedbackup_db: Path
) -> None:
    made = reedbackup.created(reedbackup_db)
    listed = reedbackup.listed(reedbackup_db)
    expect("the first entry of list_backups", listed[:1], [made])


@case("ticket/create/info/size", "size_bytes is the archive file's size on disk.")
def test_size_bytes_is_the_archives_size(reedbackup: Implementation, reedbackup_db: Path) -> None:
    made = reedbackup.created(reedbackup_db)
    expect("size_bytes", made.size_bytes, archive_of(reedbackup_db, made.id).stat().st_size)


@cases(
    "ticket/create/info/table-count",
    "table_count is the number of folders directly under tables/ ({variant}).",
    {
        "small": SMALL,
        "empty": EMPTY,
        "many-tables": MANY_TABLES,
        "without-versions": DatabaseSpec(tables=2, rows=4),
        "awkward": AWKWARD,
    },
)
def test_table_count_counts_folders(
    reedbackup: Implementation, reedbackup_make_db: MakeDatabase, variant: Spec
) -> None:
    base = reedbackup_make_db(variant)
    # Neither a loose file nor a folder inside a table is a table; an empty folder is.
    (base / "tables" / "loose.txt").write_text("no table")
    for table in [child for child in (base / "tables").iterdir() if child.is_dir()][:2]:
        (table / "inner" / "deeper").mkdir(parents=True)
    if variant == MANY_TABLES:  # more than a byte can count
        for number in range(64):
            (base / "tables" / f"further {number}").mkdir()
    tables = sum(child.is_dir() for child in (base / "tables").iterdir())
    expect("table_count of create_backup", reedbackup.created(base).table_count, tables)
    expect("table_count of list_backups", reedbackup.newest(base).table_count, tables)
    (base / "tables" / "made since").mkdir()
    expect("table_count, with a table made since", reedbackup.newest(base).table_count, tables)


@case("ticket/create/info/of-earlier", "List shows an earlier backup as create returned it.")
def test_list_shows_an_earlier_backup_as_it_was(
    reedbackup: Implementation, reedbackup_db: Path
) -> None:
    earlier = reedbackup.created(reedbackup_db)
    # A copied or synchronised archive carries any time.
    set_file_time(archive_of(reedbackup_db, earlier.id), 10**9)
    reedbackup.clock.advance()
    edits.create_table(reedbackup_db, "made_since", bytes(range(256)) * 9, 1_800_000_000 * 10**9)
    reedbackup.created(reedbackup_db)
    shown = [info for info in reedbackup.listed(reedbackup_db) if info.id == earlier.id]
    expect("the earlier backup in list_backups", shown, [earlier])


@case("ticket/create/info/timestamp", "timestamp is the Unix second of the backup.")
def test_timestamp_is_the_second_of_the_backup(
    reedbackup: Implementation, reedbackup_db: Path
) -> None:
    # One after the other, though they fall into one second.
    for number in range(1, 4):
        earliest = reedbackup.clock.seconds()
        answer = reedbackup.create_backup(reedbackup_db)
        latest = reedbackup.clock.seconds()
        if number > 1 and isinstance(answer, Refused):
            return  # that a second has room for more than one is create/same-second's promise
        timestamp = value_of(answer, "create_backup").timestamp
        expect_that(
            earliest <= timestamp <= latest,
            f"timestamp of backup {number}",
            expected=f"{earliest} to {latest}",
            found=timestamp,
        )


@case("ticket/create/info/compression", 'compression is "gzip".')
def test_compression_is_gzip(reedbackup: Implementation, reedbackup_db: Path) -> None:
    expect("compression of create_backup", reedbackup.created(reedbackup_db).compression, "gzip")
    expect("compression of list_backups", reedbackup.newest(reedbackup_db).compression, "gzip")


@case(
    "ticket/create/compression",
    "The archive of the 10k-row database is at most 35 % of the summed file sizes.",
)
def test_backup_compression(reedbackup: Implementation, reedbackup_db_10k: Path) -> None:
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
    reedbackup: Implementation, reedbackup_make_db: MakeDatabase, variant: Spec
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
    reedbackup: Implementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(DatabaseSpec(tables=2, rows=6))
    reedbackup.restore_point_in_time(base, backup_around(reedbackup, base))
    expect("whether there is an indices/ after a restore", (base / "indices").exists(), False)


@case("ticket/create/same-second", "Two backups in one second are both kept, under two ids.")
def test_two_backups_in_one_second_are_both_kept(
    reedbackup: Implementation, reedbackup_db: Path
) -> None:
    earlier = live_tree(reedbackup_db)
    first = reedbackup.created(reedbackup_db)
    change_everything(reedbackup_db)
    later = live_tree(reedbackup_db)
    second = reedbackup.created(reedbackup_db)
    expect_that(
        first.id != second.id, "the two ids", expected="different", found=(first.id, second.id)
    )
    for info, tree in ((first, earlier), (second, later)):
        archived = read_tree(archive_of(reedbackup_db, info.id))
        expect_same_tree(f"the archive {info.id}", below_roots(archived), below_roots(tree))


@case("ticket/create/same-second/newer", "Of two backups in one second the later one is newer.")
def test_the_later_backup_of_a_second_is_newer(
    reedbackup: Implementation, reedbackup_db: Path
) -> None:
    earlier = live_tree(reedbackup_db)
    first = reedbackup.created(reedbackup_db)
    change_everything(reedbackup_db)
    second = reedbackup.created(reedbackup_db)
    shown = [info.id for info in reedbackup.listed(reedbackup_db)]
    reedbackup.restore_point_in_time(reedbackup_db, second.timestamp)
    is_restored = not live_tree(reedbackup_db).differences(earlier)
    # Where one of them goes wrong, list/order or restore/pick says so.
    expect_that(
        shown != [first.id, second.id] or not is_restored,
        "which backup is the newer one, for list_backups and for restore_point_in_time",
        expected=f"the one created last, {second.id}",
        found=first.id,
    )


@case("ticket/create/same-second/burst", "Five backups as fast as they come are five backups.")
def test_backups_as_fast_as_they_come_are_all_kept(
    reedbackup: Implementation, reedbackup_db: Path
) -> None:
    ids = {reedbackup.created(reedbackup_db).id for _ in range(5)}
    expect("how many different ids they have", len(ids), 5)
    found = {backup_id for backup_id in ids if archive_of(reedbackup_db, backup_id).is_file()}
    expect("the archives in backups/", found, ids)


@case(
    "ticket/create/same-second/after-a-removal",
    "Where an earlier backup of the second was removed, a new one takes no other's place.",
)
def test_a_backup_takes_no_others_place(reedbackup: Implementation, reedbackup_db: Path) -> None:
    first, second, third = (reedbackup.created(reedbackup_db).id for _ in range(3))
    archive_of(reedbackup_db, first).unlink()
    kept = [archive_of(reedbackup_db, backup_id).stat().st_ino for backup_id in (second, third)]
    made = reedbackup.created(reedbackup_db).id
    expect_that(
        made not in (second, third),
        "the new backup's id",
        expected="none that a backup of this base has",
        found=made,
    )
    found = [archive_of(reedbackup_db, backup_id).stat().st_ino for backup_id in (second, third)]
    expect("the files that the other two backups are", found, kept)


@case(
    "ticket/create/clock-backwards",
    "A backup made after the clock went back is kept and carries the clock's time.",
)
def test_a_backup_after_the_clock_went_back_is_kept(
    reedbackup: Implementation, reedbackup_db: Path
) -> None:
    reedbackup.clock.set(1_800_000_000)
    made = [reedbackup.created(reedbackup_db).id]
    # By a few seconds too, as when a clock is set right.
    for seconds in (1_799_999_997, 1_700_000_000):
        reedbackup.clock.set(seconds)
        after = reedbackup.created(reedbackup_db)
        expect_that(
            seconds <= after.timestamp <= seconds + 2,
            "timestamp after the clock went back",
            expected=f"{seconds}, as the clock says",
            found=after.timestamp,
        )
        made.append(after.id)
        listed = {info.id for info in reedbackup.listed(reedbackup_db)}
        expect("the backups", listed, set(made))


@case(
    "ticket/create/clock-backwards/of-the-future",
    "Where backups of a time to come are there, a new one is kept and carries the clock's time.",
)
def test_a_backup_beside_backups_of_the_future_is_kept(
    reedbackup: Implementation, reedbackup_db: Path
) -> None:
    """What a clock that went back looks like, on any clock."""
    future = reedbackup.clock.seconds() + 10**6
    for number in range(RETENTION):
        pack(reedbackup_db, archive_of(reedbackup_db, str(future + number)))
    earliest = reedbackup.clock.seconds()
    made = reedbackup.created(reedbackup_db)
    latest = reedbackup.clock.seconds()
    expect_that(
        earliest <= made.timestamp <= latest,
        "timestamp",
        expected=f"{earliest} to {latest}",
        found=made.timestamp,
    )
    is_kept = f"{made.id}.tar.gz" in backups_listing(reedbackup_db)
    expect("whether the new backup's archive is kept", is_kept, True)


@cases(
    "ticket/create/no-base",
    "Create on a base that is {variant} is refused, and nothing is created.",
    {"missing": "typo/.reed", "below-a-missing-folder": "no/such/folder/.reed", "a-file": "file"},
)
def test_create_refuses_a_base_that_is_no_folder(
    reedbackup: Implementation, reedbackup_db: Path, variant: str
) -> None:
    around = reedbackup_db.parent
    (around / "file").write_text("no database")
    before = Tree.read(around)
    answer = reedbackup.create_backup(around / variant)
    # Looked at first: what was created says more than the answer.
    expect_same_tree("the folder around the base", Tree.read(around), before)
    refusal_of(answer, "create_backup", ("NoTablesFound", "IoError"))


@case("ticket/create/no-tables", "Without tables/ create answers NoTablesFound, creating nothing.")
def test_create_refuses_a_base_without_tables(
    reedbackup: Implementation, reedbackup_db: Path
) -> None:
    shutil.rmtree(reedbackup_db / "tables")
    before = Tree.read(reedbackup_db)
    answer = reedbackup.create_backup(reedbackup_db)
    expect_same_tree("the base", Tree.read(reedbackup_db), before)
    refusal_of(answer, "create_backup", ("NoTablesFound",))


@case("ticket/create/no-tables/empty", "An empty tables/ is a database of 0 tables.")
def test_an_empty_tables_folder_is_a_database(
    reedbackup: Implementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(EMPTY)
    source = live_tree(base)
    archived = read_tree(archive_of(base, reedbackup.created(base).id))
    expect_same_tree("the archive's members", below_roots(archived), below_roots(source))


def _at(root: str, tree: Tree) -> Tree:
    return Tree({n: e for n, e in tree.entries.items() if n == root or n.startswith(f"{root}/")})
