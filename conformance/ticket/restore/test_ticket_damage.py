"""Damaged and hostile archives under contract `ticket`: refused, with the live tree untouched."""

from __future__ import annotations

import gzip
import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect_named, expect_same_tree
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import (
    UNREADABLE,
    file_member,
    folder_member,
    pack,
    pack_members,
    special_member,
)
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.implementations.answers import refusal_of
from pytest_reedbackup.injection.archive_damage import flipped_bits, missing_bytes
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tree import Tree

FLIPS = 12
Members = Iterable[tuple[tarfile.TarInfo, bytes]]


@case(
    "ticket/restore/corrupt",
    "A flipped bit anywhere in the archive's data is BackupCorrupted; the live tree is untouched.",
)
def test_a_flipped_bit_is_refused(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    archive, time = _damaged_later(reedbackup, reedbackup_db)
    for damage, content in flipped_bits(archive.read_bytes(), FLIPS):
        archive.write_bytes(content)
        _expect_refused_as_corrupted(reedbackup, reedbackup_db, archive, time, damage)


@case(
    "ticket/restore/corrupt/missing-bytes",
    "A byte missing anywhere in the archive is BackupCorrupted; the live tree is untouched.",
)
def test_a_missing_byte_is_refused(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    archive, time = _damaged_later(reedbackup, reedbackup_db)
    for damage, content in missing_bytes(archive.read_bytes()):
        archive.write_bytes(content)
        _expect_refused_as_corrupted(reedbackup, reedbackup_db, archive, time, damage)


@case(
    "ticket/restore/corrupt/foreign",
    "A flipped bit in a plain tar.gz of others is BackupCorrupted, by its checksum.",
)
def test_a_flipped_bit_in_a_foreign_archive_is_refused(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    time = reedbackup.created(reedbackup_db).timestamp - 10
    archive = pack(reedbackup_db, archive_of(reedbackup_db, str(time)))
    change_everything(reedbackup_db)
    for damage, content in flipped_bits(archive.read_bytes(), FLIPS):
        archive.write_bytes(content)
        _expect_refused_as_corrupted(reedbackup, reedbackup_db, archive, time, damage)


@case(
    "ticket/restore/corrupt/cut-tar",
    "A tar that ends within a file is BackupCorrupted, though the gzip around it is sound.",
)
def test_a_tar_that_was_cut_is_refused(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    reedbackup.created(reedbackup_db)
    archive = reedbackup_db / "backups" / "1700000000.tar.gz"
    last = file_member("tables/text/zzz", b"x" * 2000)
    pack_members(archive, [*_sound(), last])
    whole = gzip.decompress(archive.read_bytes())
    archive.write_bytes(gzip.compress(whole[: whole.index(b"x" * 2000) + 1000], mtime=0))
    _expect_refused_as_corrupted(
        reedbackup, reedbackup_db, archive, 1_700_000_000, "half of its last file"
    )


@cases(
    "ticket/restore/corrupt/no-fallback",
    "Where the archive to take is {variant}, restore does not fall back to an older one.",
    UNREADABLE,
)
def test_restore_never_falls_back_to_an_older_backup(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Callable[[bytes], bytes]
) -> None:
    older = reedbackup.created(reedbackup_db)
    archive = reedbackup_db / "backups" / f"{older.timestamp + 5}.tar.gz"
    archive.write_bytes(variant(archive_of(reedbackup_db, older.id).read_bytes()))
    change_everything(reedbackup_db)
    _expect_refused_as_corrupted(
        reedbackup, reedbackup_db, archive, older.timestamp + 100, "an unreadable newest archive"
    )


def _sound() -> Members:
    yield folder_member("tables")
    yield folder_member("tables/text")
    yield file_member("tables/text/current.csv", b"key|value\n")


def _absolute_path(outside: Path) -> Members:
    yield from _sound()
    yield file_member(str(outside / "planted"), b"planted")


def _parent_path(outside: Path) -> Members:
    yield from _sound()
    yield file_member(f"../{outside.name}/planted", b"planted")


def _parent_path_below_tables(outside: Path) -> Members:
    yield from _sound()
    yield file_member(f"tables/../../{outside.name}/planted", b"planted")


def _parent_path_into_registry(outside: Path) -> Members:
    yield from _sound()
    yield file_member("tables/../registry/users.dict", b"planted")


def _symlink(outside: Path) -> Members:
    yield from _sound()
    yield special_member("tables/text/link", tarfile.SYMTYPE, str(outside))


def _through_a_symlink(outside: Path) -> Members:
    yield from _sound()
    yield special_member("tables/link", tarfile.SYMTYPE, str(outside))
    yield file_member("tables/link/planted", b"planted")


def _through_a_root_symlink(outside: Path) -> Members:
    yield folder_member("tables")
    yield special_member("indices", tarfile.SYMTYPE, str(outside))
    yield file_member("indices/planted", b"planted")


def _hard_link_into_registry(outside: Path) -> Members:
    yield from _sound()
    yield special_member("tables/text/link", tarfile.LNKTYPE, "registry/users.dict")


def _hard_link_outside(outside: Path) -> Members:
    yield from _sound()
    yield special_member("tables/text/link", tarfile.LNKTYPE, f"../{outside.name}/secret")


def _hard_link_to_absolute_path(outside: Path) -> Members:
    yield from _sound()
    yield special_member("tables/text/link", tarfile.LNKTYPE, str(outside / "secret"))
    # Written through the link, it would change the file outside.
    yield file_member("tables/text/link", b"planted")


def _device(outside: Path) -> Members:
    yield from _sound()
    yield special_member("tables/text/device", tarfile.CHRTYPE)


def _block_device(outside: Path) -> Members:
    yield from _sound()
    yield special_member("tables/text/device", tarfile.BLKTYPE)


def _fifo(outside: Path) -> Members:
    yield from _sound()
    yield special_member("tables/text/pipe", tarfile.FIFOTYPE)


def _duplicate(outside: Path) -> Members:
    yield from _sound()
    yield file_member("tables/text/current.csv", b"another content under the same name\n")


def _duplicate_by_spelling(outside: Path) -> Members:
    yield from _sound()
    yield file_member("./tables//text/./current.csv", b"another content under the same name\n")


def _file_for_folder(outside: Path) -> Members:
    yield from _sound()
    yield file_member("tables/text", b"a file under the name of a folder\n")


def _long_parent_path(outside: Path) -> Members:
    """A path that a GNU header of its own holds, for its length."""
    yield from _sound()
    yield file_member(f"tables/{'x/' * 60}{'../' * 62}{outside.name}/planted", b"planted")


def _parent_path_by_pax(outside: Path) -> Members:
    """A path that a pax header puts in the place of a harmless one."""
    yield from _sound()
    path = f"../{outside.name}/planted"
    record = f"{len(path) + 9} path={path}\n".encode()
    extended, content = file_member("tables/text/harmless", record)
    extended.type = tarfile.XHDTYPE
    yield extended, content
    yield file_member("tables/text/harmless", b"planted")


def _absurd_size(outside: Path) -> Members:
    yield from _sound()
    member, _ = file_member("tables/text/huge")
    member.size = 2**62
    yield member, b"only this"


def _negative_size(outside: Path) -> Members:
    yield from _sound()
    member, _ = file_member("tables/text/negative")
    member.size = -512
    yield member, b""


@cases(
    "ticket/restore/hostile",
    "An archive with {variant} is refused, and nothing is written.",
    {
        "an-absolute-path": _absolute_path,
        "a-parent-path": _parent_path,
        "a-parent-path-below-tables": _parent_path_below_tables,
        "a-parent-path-into-registry": _parent_path_into_registry,
        "a-symlink": _symlink,
        "a-file-through-a-symlink": _through_a_symlink,
        "a-file-through-a-symlink-for-indices": _through_a_root_symlink,
        "a-parent-path-in-a-long-name": _long_parent_path,
        "a-parent-path-in-a-pax-header": _parent_path_by_pax,
        "a-hard-link-into-registry": _hard_link_into_registry,
        "a-hard-link-outside": _hard_link_outside,
        "a-hard-link-to-an-absolute-path": _hard_link_to_absolute_path,
        "a-device": _device,
        "a-block-device": _block_device,
        "a-fifo": _fifo,
        "a-duplicate-name": _duplicate,
        "a-duplicate-name-spelt-otherwise": _duplicate_by_spelling,
        "a-file-under-a-folders-name": _file_for_folder,
        "an-absurd-size": _absurd_size,
        "a-negative-size": _negative_size,
    },
)
def test_hostile_archives_are_refused(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Callable[[Path], Members]
) -> None:
    outside = reedbackup_db.parent / "outside"
    outside.mkdir()
    (outside / "secret").write_text("not part of the database")
    reedbackup.created(reedbackup_db)
    # An older one, for who would fall back.
    pack(reedbackup_db, reedbackup_db / "backups" / "1600000000.tar.gz")
    pack_members(reedbackup_db / "backups" / "1700000000.tar.gz", variant(outside))
    before = Tree.read(reedbackup_db.parent)
    answer = reedbackup.restore_point_in_time(reedbackup_db, 1_700_000_000)
    expect_same_tree("the base and the folder around it", Tree.read(reedbackup_db.parent), before)
    refusal_of(answer, "restore_point_in_time")


def _damaged_later(reedbackup: TicketImplementation, base: Path) -> tuple[Path, int]:
    """An older sound backup, and the archive and time of a newer one, to be damaged."""
    reedbackup.created(base)
    reedbackup.clock.advance()
    made = reedbackup.created(base)
    change_everything(base)
    return archive_of(base, made.id), made.timestamp


def _expect_refused_as_corrupted(
    reedbackup: TicketImplementation, base: Path, archive: Path, target: int, damage: str
) -> None:
    before = Tree.read(base)
    answer = reedbackup.restore_point_in_time(base, target)
    what = f"a restore of {archive.name} with {damage}"
    expect_same_tree(f"the base after {what}", Tree.read(base), before)
    refusal = refusal_of(answer, what, ("BackupCorrupted",))
    expect_named(refusal, archive.name.removesuffix(".tar.gz"), what)
