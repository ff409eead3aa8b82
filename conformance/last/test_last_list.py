"""list_backups under contract `last`: which names count, what is said of them, at no cost."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from pytest_reedbackup.checks.expectations import expect, expect_same_tree
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.implementations.answers import refusal_of
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tables import NO_FOLDER
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.types import U64_MAX


def put(base: Path, name: str, size: int = 300) -> Path:
    """A sound gzip file of nearly `size` bytes in backups/."""
    path = base / "backups" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(Random(name).randbytes(size), mtime=0))
    return path


@case("last/list/order", "The newest comes first: by number, not by name.")
def test_list_shows_the_newest_first(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    seconds = (1_700_000_005, 3, 999_999_999, U64_MAX, 20, 1_700_000_000, 100)
    for second in seconds:
        put(reedbackup_db, f"{second}.tar.gz")
    listed = [info.timestamp for info in reedbackup.listed(reedbackup_db)]
    expect("the timestamps", listed, sorted(seconds, reverse=True))


@case("last/list/order/equal", "Names of one number are all listed, before the older ones.")
def test_names_of_one_number_are_all_listed(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    names = ("7", "+7", "007", "6", "8")
    for name in names:
        put(reedbackup_db, f"{name}.tar.gz")
    listed = reedbackup.listed(reedbackup_db)
    expect("the timestamps", [info.timestamp for info in listed], [8, 7, 7, 7, 6])
    paths = sorted(info.path for info in listed)
    expected = sorted(str(reedbackup_db / "backups" / f"{name}.tar.gz") for name in names)
    expect("the paths", paths, expected)


@case("last/list/info", "Each has its second, its path, its size, and that in MiB.")
def test_list_describes_the_archive(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    archive = put(reedbackup_db, "1700000000.tar.gz", size=100_000)
    listed = reedbackup.listed(reedbackup_db)
    expect("the number of backups", len(listed), 1)
    _expect_info(listed[0], archive, 1_700_000_000)


@case("last/list/info/symlink", "A symlink to an archive counts, with the link's own size.")
def test_a_symlink_to_an_archive_is_listed_as_a_link(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    target = put(reedbackup_db, "1700000000.tar.gz")
    link = target.with_name("1700000001.tar.gz")
    link.symlink_to(target.name)
    listed = reedbackup.listed(reedbackup_db)
    expect("the timestamps", [info.timestamp for info in listed], [1_700_000_001, 1_700_000_000])
    _expect_info(listed[0], link, 1_700_000_001)


@cases(
    "last/list/names",
    "A number as Rust reads it is the name of a backup: {variant}.",
    {
        "zero": ("0", 0),
        "one-digit": ("5", 5),
        "plus": ("+5", 5),
        "leading-zeros": ("007", 7),
        "plus-and-zeros": ("+007", 7),
        "several-zeros": ("00", 0),
        "largest": (str(U64_MAX), U64_MAX),
    },
)
def test_names_that_rust_reads_as_numbers(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, int]
) -> None:
    name, second = variant
    archive = put(reedbackup_db, f"{name}.tar.gz")
    listed = reedbackup.listed(reedbackup_db)
    expect("the paths", [info.path for info in listed], [str(archive)])
    _expect_info(listed[0], archive, second)


FOREIGN_NAMES = {
    "a-word": "before-migration.tar.gz",
    "no-name": ".tar.gz",
    "minus": "-3.tar.gz",
    "only-a-plus": "+.tar.gz",
    "fraction": "1.5.tar.gz",
    "space-before": " 9.tar.gz",
    "space-after": "9 .tar.gz",
    "underscore": "1_0.tar.gz",
    "hexadecimal": "0x5.tar.gz",
    "arabic-digits": "\u0661\u0662.tar.gz",
    "over-u64": "18446744073709551616.tar.gz",
    "tgz": "5.tgz",
    "upper-case": "5.TAR.GZ",
    "tar": "5.tar",
    "gz": "5.gz",
    "further-suffix": "5.tar.gz.bak",
    "no-suffix": "5",
}


@cases(
    "last/list/names/foreign", "A file with another name is passed over: {variant}.", FOREIGN_NAMES
)
def test_other_names_are_passed_over(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: str
) -> None:
    put(reedbackup_db, variant)
    put(reedbackup_db, "1700000000.tar.gz")
    listed = [info.timestamp for info in reedbackup.listed(reedbackup_db)]
    expect(f"the timestamps beside {variant!r}", listed, [1_700_000_000])


@cases(
    "last/list/empty",
    "Without backups ({variant}) the list is empty, and nothing is made.",
    {"no-backups-folder": ".reed", "empty-backups-folder": "empty", "no-base": "typo/.reed"},
)
def test_a_list_of_no_backups_is_empty(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: str
) -> None:
    (reedbackup_db.parent / "empty" / "backups").mkdir(parents=True)
    before = Tree.read(reedbackup_db.parent)
    expect("list_backups", reedbackup.listed(reedbackup_db.parent / variant), [])
    expect_same_tree("the folder around", Tree.read(reedbackup_db.parent), before)


@case("last/list/read-only", "A list changes nothing on disk.")
def test_list_changes_nothing(reedbackup: LastImplementation, reedbackup_db: Path) -> None:
    for name in ("5.tar.gz", "notes.txt"):
        put(reedbackup_db, name)
    before = Tree.read(reedbackup_db)
    reedbackup.listed(reedbackup_db)
    expect_same_tree("the base", Tree.read(reedbackup_db), before)


@case("last/list/error", "A file in the place of backups/ is IoError read_backup_dir.")
def test_a_file_for_backups_is_an_io_error(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    (reedbackup_db / "backups").write_text("no folder")
    refusal = refusal_of(reedbackup.list_backups(reedbackup_db), "list_backups", ("IoError",))
    expected = {"operation": "read_backup_dir", "reason": NO_FOLDER}
    expect("the error's fields", refusal.fields, expected)


def _a_folder(path: Path) -> None:
    path.mkdir()


def _a_dangling_symlink(path: Path) -> None:
    path.symlink_to("nowhere")


def _an_empty_file(path: Path) -> None:
    path.write_bytes(b"")


def _no_gzip(path: Path) -> None:
    path.write_bytes(b"no archive at all")


@cases(
    "last/list/not-archives",
    "Under an archive's name, {variant} is listed as a backup, with its own size.",
    {
        "a-folder": _a_folder,
        "a-dangling-symlink": _a_dangling_symlink,
        "an-empty-file": _an_empty_file,
        "no-gzip": _no_gzip,
    },
    defect="D11",
)
def test_whatever_has_the_name_is_listed(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Callable[[Path], None]
) -> None:
    path = put(reedbackup_db, "1700000000.tar.gz").with_name("1700000001.tar.gz")
    variant(path)
    listed = reedbackup.listed(reedbackup_db)
    expect("the timestamps", [info.timestamp for info in listed], [1_700_000_001, 1_700_000_000])
    _expect_info(listed[0], path, 1_700_000_001)


def _expect_info(info: Any, path: Path, second: int) -> None:
    size = path.lstat().st_size
    found = info.timestamp, info.path, info.size_bytes, info.size_mb
    expect("the entry", found, (second, str(path), size, size / 1048576))
