"""restore_point_in_time under contract `ticket` where a tree cannot be renamed as a whole."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect, expect_same_tree
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases import edits
from pytest_reedbackup.databases.archives import read_members
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.implementations.answers import Answered, Refused, value_of
from pytest_reedbackup.injection.mounts import mounts_below
from pytest_reedbackup.injection.surroundings.limits import Limit, limit_for_good
from pytest_reedbackup.injection.surroundings.placements import (
    Arrange,
    bound,
    layered,
    on_other_file_systems,
)
from pytest_reedbackup.injection.surroundings.rights import bound_by_permissions
from pytest_reedbackup.injection.sweeps.survival import Caller
from pytest_reedbackup.injection.traced.served import served
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.views.base import live_tree

# Read-only folders ----------------------------------------------------------------


def _close_a_table(base: Path) -> None:
    (base / "tables" / "routes").chmod(0o555)


def _close_an_inner_folder(base: Path) -> None:
    (base / "tables" / "text" / "attachments" / "inner").mkdir()
    (base / "tables" / "text" / "attachments" / "inner" / "file").write_text("read-only around")
    for folder in ("attachments/inner", "attachments"):
        (base / "tables" / "text" / folder).chmod(0o555)


def _close_the_roots(base: Path) -> None:
    for root in ("tables", "indices"):
        (base / root).chmod(0o555)


def _close_all(base: Path) -> None:
    for root in ("tables", "indices"):
        for path in [base / root, *(base / root).rglob("*")]:
            path.chmod(0o555 if path.is_dir() else 0o444)


CLOSED: dict[str, Callable[[Path], None]] = {
    "a-table": _close_a_table,
    "an-inner-folder": _close_an_inner_folder,
    "the-roots": _close_the_roots,
    "everything": _close_all,
}


@case(
    "ticket/restore/placement",
    "What create accepted, restore brings back where folders are read-only.",
)
def test_restore_replaces_read_only_folders(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    _close_all(reedbackup_db)
    _expect_brought_back(reedbackup, reedbackup_db)


@cases(
    "ticket/restore/placement/read-only",
    "Who is not root can restore where folders are read-only ({variant}).",
    CLOSED,
)
def test_restore_replaces_read_only_folders_for_who_is_not_root(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Callable[[Path], None]
) -> None:
    variant(reedbackup_db)
    with served(reedbackup, tracer=bound_by_permissions()) as process:
        _expect_brought_back(process, reedbackup_db)


# Mount points and layers ----------------------------------------------------------


MOUNTED: dict[str, Arrange] = {
    "tables-on-another-file-system": on_other_file_systems("tables"),
    "tables-bound": bound("tables"),
    "a-table-on-another-file-system": on_other_file_systems("tables/text"),
    "a-table-bound": bound("tables/text"),
    "tables-and-a-table": on_other_file_systems("tables", "tables/text"),
    "lower-layer": layered,
}


@cases(
    "ticket/restore/placement/mounted",
    "What create accepted, restore brings back where it was, though it is mounted ({variant}).",
    MOUNTED,
)
def test_restore_brings_back_what_is_mounted(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: Arrange
) -> None:
    reedbackup.connection.command  # noqa: B018 - mounts are not recorded
    with mounts_below(reedbackup_db.parent) as mounts:
        variant(reedbackup_db, mounts)
        points = mounts.points()
        _require_seen(reedbackup, reedbackup_db)
        _expect_brought_back(reedbackup, reedbackup_db)
        expect("what is still a mount point", mounts.points(), points)
        # Nothing that is left of it keeps the process in there.
        reedbackup.connection.close()


# Many tables ----------------------------------------------------------------------


FEW_OPEN_FILES = 40
"""How many files it may open beside those that it has open before the call."""

MORE_TABLES = DatabaseSpec(tables=FEW_OPEN_FILES + 5, rows=120, versions=2, indices=1)


@case(
    "ticket/restore/placement/many-tables",
    "What create accepted, restore brings back with more tables than open files allowed.",
)
def test_restore_needs_fewer_open_files_than_tables(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(MORE_TABLES)
    with served(reedbackup) as process:
        limit_for_good(process.pid, Limit.OPEN_FILES, FEW_OPEN_FILES)
        _expect_brought_back(process, base)


# All of them ----------------------------------------------------------------------


def _expect_brought_back(calls: Caller, base: Path) -> None:
    """Twice, for what a restore leaves must be no hindrance to the next."""
    expected = live_tree(base)
    target = _accepted(calls, base)
    for turn in ("the first", "a second"):
        _change(base)
        answer = calls.restore_point_in_time(base, target)
        value_of(answer, f"{turn} restore of what create accepted")
        expect_same_tree(f"tables/ and indices/ after {turn}", live_tree(base), expected)
    value_of(calls.create_backup(base), "create_backup afterwards")


def _accepted(calls: Caller, base: Path) -> int:
    """The timestamp of a backup. Raises MissingCapability where create does not accept such."""
    answer = calls.create_backup(base)
    if isinstance(answer, Refused):
        why = f"create accepts none, so that there is nothing to bring back: {answer}"
        raise MissingCapability("a backup of such a database", why)
    timestamp: int = answer.value.timestamp
    return timestamp


def _require_seen(reedbackup: TicketImplementation, base: Path) -> None:
    """Raises MissingCapability where the implementation sees nothing of what is mounted here.

    A process in a mount namespace of its own sees what is below instead.
    """
    probe = base / "tables" / "text" / "seen by all"
    probe.write_text("what is mounted")
    answer = reedbackup.create_backup(base)
    if isinstance(answer, Answered):
        archive = archive_of(base, answer.value.id)
        members = read_members(archive) if archive.is_file() else []
        if not any(member.name.endswith(f"/{probe.name}") for member in members):
            why = "the implementation sees another one under this path"
            raise MissingCapability("mounts that the implementation sees", why, tool=True)
    probe.unlink()
    reedbackup.clock.advance()


def _change(base: Path) -> None:
    """What happens to a database, mounted or read-only, whatever its owner needs for it."""
    folders = [path for path in [base, *base.rglob("*")] if path.is_dir()]
    modes = {path: path.stat().st_mode for path in folders}
    for path in folders:
        path.chmod(0o755)
    for table in sorted((base / "tables").iterdir()):
        (table / "since.csv").write_text("made since")
        (table / "current.csv").unlink(missing_ok=True)
        (table / "version.log").write_text("changed\n")
    shutil.rmtree(base / "tables" / "content")
    edits.create_table(base, "made_since", b"key|value\n", 1_800_000_000 * 10**9)
    (base / "indices" / "since.btree").write_bytes(b"since")
    for path in folders:
        if path.exists():
            path.chmod(modes[path])
