"""Archives of others under contract `ticket`: of tar, of tarfile, of another implementation."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect, expect_same_tree, expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import (
    TarFormat,
    normal_name,
    pack,
    pack_members,
    read_members,
    read_tree,
    with_full_header,
)
from pytest_reedbackup.databases.changes import break_hard_links, change_everything
from pytest_reedbackup.databases.spec import AWKWARD, EMPTY, SMALL, Spec
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.implementations.answers import Answered, value_of
from pytest_reedbackup.model.adapter_faults import AdapterFault, NotRecorded
from pytest_reedbackup.model.case import Comparison, case, cases
from pytest_reedbackup.model.failures import BrokenPromise, MissingCapability
from pytest_reedbackup.views.base import below_roots, live_tree
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.adapter.protocol import Contract


@cases(
    "ticket/restore/foreign-archive",
    "A plain tar.gz of tables/ and indices/ named {{unix seconds}}.tar.gz restores ({variant}).",
    {"gnu": tarfile.GNU_FORMAT, "pax": tarfile.PAX_FORMAT, "ustar": tarfile.USTAR_FORMAT},
)
def test_a_plain_archive_restores(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: TarFormat
) -> None:
    expected = live_tree(reedbackup_db)
    pack(reedbackup_db, reedbackup_db / "backups" / "1700000000.tar.gz", tar_format=variant)
    change_everything(reedbackup_db)
    report = reedbackup.restored(reedbackup_db, 1_700_000_000)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)
    expect("tables_restored", report.tables_restored, 3)


Rearranged = Callable[[list[tarfile.TarInfo]], list[tarfile.TarInfo]]


def _with_dot_slash(members: list[tarfile.TarInfo]) -> list[tarfile.TarInfo]:
    """As of `tar czf X ./tables ./indices`."""
    return [member.replace(name=f"./{member.name}", deep=False) for member in members]


def _folders_last(members: list[tarfile.TarInfo]) -> list[tarfile.TarInfo]:
    """As of `find -depth`: what is in a folder comes before it."""
    return members[::-1]


def _implied_folders(members: list[tarfile.TarInfo]) -> list[tarfile.TarInfo]:
    """Only folders that nothing else implies have members of their own."""
    implied = {member.name.rpartition("/")[0] for member in members}
    return [member for member in members if member.name not in implied]


@case(
    "ticket/restore/foreign-archive/dot-slash",
    "What `tar czf X ./tables ./indices` packed restores.",
)
def test_names_that_begin_with_a_dot_restore(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    expected = live_tree(reedbackup_db)
    _pack_otherwise(reedbackup_db, _with_dot_slash)
    change_everything(reedbackup_db)
    reedbackup.restored(reedbackup_db, 1_700_000_000)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)


@cases(
    "ticket/restore/foreign-archive/members",
    "An archive of other members is restored or refused, never in part ({variant}).",
    {"folders-last": _folders_last, "implied-folders": _implied_folders},
)
def test_an_archive_of_other_members_is_never_restored_in_part(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Rearranged
) -> None:
    whole = live_tree(reedbackup_db)
    _pack_otherwise(reedbackup_db, variant)
    _expect_whole_or_refused(reedbackup, reedbackup_db, whole)


@case(
    "ticket/restore/foreign-archive/gzip-header",
    "A plain tar.gz restores whatever else its gzip header holds: name, comment, extra field.",
)
def test_an_archive_with_a_full_gzip_header_restores(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    expected = live_tree(reedbackup_db)
    archive = pack(reedbackup_db, reedbackup_db / "backups" / "1700000000.tar.gz")
    archive.write_bytes(with_full_header(archive.read_bytes()))
    change_everything(reedbackup_db)
    reedbackup.restored(reedbackup_db, 1_700_000_000)
    expect_same_tree("tables/ and indices/", live_tree(reedbackup_db), expected)


@cases(
    "ticket/restore/foreign-archive/tar-czf",
    "What `tar czf` packed of the {variant} database restores.",
    {"small": SMALL, "awkward": AWKWARD, "empty": EMPTY},
)
def test_what_tar_packed_restores(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: Spec
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
def test_a_plain_archive_is_listed(reedbackup: TicketImplementation, reedbackup_db: Path) -> None:
    archive = pack(reedbackup_db, reedbackup_db / "backups" / "1700000000.tar.gz")
    listed = reedbackup.listed(reedbackup_db)
    expect_that(len(listed) == 1, "list_backups", expected="the one backup", found=listed)
    (info,) = listed
    expect("its timestamp", info.timestamp, 1_700_000_000)
    expect("its size_bytes", info.size_bytes, archive.stat().st_size)
    expect("its table_count", info.table_count, 3)
    expect("its archive", archive_of(reedbackup_db, info.id), archive)


@case(
    "ticket/restore/foreign-archive/hard-link",
    "A hard link among an archive's own files is restored or refused, never passed over.",
)
def test_a_hard_link_is_never_passed_over(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    table = reedbackup_db / "tables" / "text"
    # Its name comes after the table's other files, so that tar packs it as a link to one of them.
    os.link(table / "current.csv", table / "zz-second-name")
    whole = live_tree(reedbackup_db)
    pack(reedbackup_db, reedbackup_db / "backups" / "1700000000.tar.gz")
    _expect_whole_or_refused(reedbackup, reedbackup_db, whole)


@dataclass(frozen=True)
class Specimen:
    """An archive that an implementation made, as a stranger finds it in order."""

    maker: str
    path: Path
    timestamp: int


@pytest.fixture(scope="session")
def specimens(
    reedbackup_all: list[TicketImplementation],
    reedbackup_templates: Templates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[[Spec, Contract], list[Specimen]]:
    """What the implementations of the run that claim a contract make of a database."""

    @cache
    def made(spec: Spec, contract: Contract) -> list[Specimen]:
        makers = [maker for maker in reedbackup_all if maker.claims(contract)]
        if not makers:
            sentence = "no implementation of the run claims it, so there are no archives of others"
            raise MissingCapability(f"archives of contract {contract}", sentence)
        folder = tmp_path_factory.mktemp("specimens")
        bases = [
            reedbackup_templates.clone(spec, folder / f"{n}" / ".reed") for n in range(len(makers))
        ]
        found = [_specimen(maker, base) for maker, base in zip(makers, bases, strict=True)]
        return [specimen for specimen in found if specimen is not None]

    return made


@cases(
    "ticket/restore/foreign-archive/interchange",
    "What every implementation of the run backed up of the {variant} database restores.",
    {"small": SMALL, "awkward": AWKWARD},
    comparison=Comparison.OTHERS,
)
def test_archives_are_interchangeable(
    reedbackup: TicketImplementation,
    specimens: Callable[[Spec, Contract], list[Specimen]],
    reedbackup_make_db: MakeDatabase,
    variant: Spec,
) -> None:
    for specimen in specimens(variant, reedbackup.contract):
        base = reedbackup_make_db(variant)
        # The one name that every implementation must know.
        archive = archive_of(base, str(specimen.timestamp))
        archive.parent.mkdir()
        shutil.copy(specimen.path, archive)
        expected = live_tree(base)
        change_everything(base)
        what = f"a restore of an archive made by {specimen.maker!r}"
        value_of(reedbackup.restore_point_in_time(base, specimen.timestamp), what)
        expect_same_tree(f"the tree after {what}", live_tree(base), expected)


def _specimen(maker: TicketImplementation, base: Path) -> Specimen | None:
    """None where the maker does not make a sound archive of the whole database.

    Its own cases say that: it is no fault of the one that is to restore it.
    """
    break_hard_links(base)
    maker.clock.reset()
    try:
        made = maker.created(base)
        archive = archive_of(base, made.id)
        archived = read_tree(archive)
        names = [normal_name(member) for member in read_members(archive)]
    except NotRecorded:  # nothing that the maker's own cases say
        raise
    except (AdapterFault, BrokenPromise, OSError):
        return None
    strays = [name for name in names if name.startswith("/") or _forbidden(name.split("/"))]
    if strays or below_roots(live_tree(base)).differences(below_roots(archived)):
        return None
    return Specimen(maker.connection.option, archive, made.timestamp)


def _pack_otherwise(base: Path, rearranged: Rearranged) -> None:
    """Packs the base as others do, with its members rearranged."""
    archive = pack(base, base / "backups" / "1700000000.tar.gz")
    members = read_members(archive)
    contents = {member.name: _content(base, member) for member in members}
    renamed = rearranged(members)
    pack_members(archive, [(m, contents[m.name.removeprefix("./")]) for m in renamed])


def _expect_whole_or_refused(reedbackup: TicketImplementation, base: Path, whole: Tree) -> None:
    """A restore of the one archive brings back `whole`, or is refused and changes nothing."""
    change_everything(base)
    changed = live_tree(base)
    answer = reedbackup.restore_point_in_time(base, 1_700_000_000)
    expected = whole if isinstance(answer, Answered) else changed
    # A folder that is only implied says nothing of its mode.
    found = _without_folder_modes(live_tree(base))
    expect_same_tree("tables/ and indices/", found, _without_folder_modes(expected))


def _content(base: Path, member: tarfile.TarInfo) -> bytes:
    return (base / member.name).read_bytes() if member.isreg() else b""


def _without_folder_modes(tree: Tree) -> Tree:
    return Tree(
        {
            name: entry._replace(mode=0) if entry.kind == "folder" else entry
            for name, entry in tree.entries.items()
        }
    )


def _forbidden(parts: list[str]) -> bool:
    return ".." in parts or parts[0] in ("backups", "registry")
