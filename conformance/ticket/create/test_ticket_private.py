"""create_backup under contract `ticket`: nobody reads in the archive what was closed to them."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect_that
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import mode_of
from pytest_reedbackup.databases.spec import SMALL
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.injection.surroundings.umask import under_umask
from pytest_reedbackup.injection.traced.seen_files import files_made_by_create
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tree import Tree

OTHERS = stat.S_IRWXG | stat.S_IRWXO
SEARCH = stat.S_IXGRP | stat.S_IXOTH

# So much of the database that a file which holds it is no lock and no note of a process id.
SECRET_BYTES = 1 << 20
MUCH = SECRET_BYTES // 16


@dataclass(frozen=True)
class Given:
    """What tables/ and all that it holds give to group and others."""

    file: int
    folder: int

    @classmethod
    def by(cls, base: Path) -> Given:
        entries = Tree.read(base / "tables").entries.values()
        all_give = _common(entry.mode for entry in entries)
        # To search a folder is asked of folders alone: files are not for running.
        search = SEARCH & _common(entry.mode for entry in entries if entry.kind == "folder")
        return cls(all_give, all_give | search)


def _common(modes: Iterable[int]) -> int:
    common = OTHERS
    for mode in modes:
        common &= mode
    return common


def _arrange(base: Path, file: int, folder: int) -> None:
    for path in [base / "tables", *(base / "tables").rglob("*")]:
        path.chmod(folder if path.is_dir() else file)


def _deep_in(base: Path) -> Path:
    """A folder of folders in the last table, with a file at its end."""
    deep = base / "tables" / "text" / "attachments" / "inner" / "deeper"
    deep.mkdir(parents=True)
    (deep / "secret.csv").write_text("key|value\n")
    return deep


def _one_private_file(base: Path) -> None:
    deep = _deep_in(base)
    _arrange(base, 0o644, 0o755)
    (deep / "secret.csv").chmod(0o600)


def _one_private_folder(base: Path) -> None:
    deep = _deep_in(base)
    _arrange(base, 0o644, 0o755)
    deep.parent.chmod(0o700)


def _one_private_empty_folder(base: Path) -> None:
    deep = _deep_in(base)
    (deep / "empty").mkdir()
    _arrange(base, 0o644, 0o755)
    (deep / "empty").chmod(0o700)


def _private_tables(base: Path) -> None:
    _arrange(base, 0o644, 0o755)
    (base / "tables").chmod(0o700)


def _private_loose_file(base: Path) -> None:
    (base / "tables" / "notes.txt").write_text("beside the tables")
    _arrange(base, 0o644, 0o755)
    (base / "tables" / "notes.txt").chmod(0o600)


def _one_private_dotfile(base: Path) -> None:
    (base / "tables" / "text" / ".draft").write_text("hidden")
    _arrange(base, 0o644, 0o755)
    (base / "tables" / "text" / ".draft").chmod(0o600)


def _one_private_table(base: Path) -> None:
    _arrange(base, 0o644, 0o755)
    (base / "tables" / "text").chmod(0o700)


def _for_the_group(base: Path) -> None:
    _arrange(base, 0o640, 0o750)


def _written_by_the_group(base: Path) -> None:
    _arrange(base, 0o664, 0o2775)


def _one_file_for_the_group(base: Path) -> None:
    deep = _deep_in(base)
    _arrange(base, 0o644, 0o755)
    (deep / "secret.csv").chmod(0o640)


def _not_for_the_group(base: Path) -> None:
    _arrange(base, 0o604, 0o705)


def _private(base: Path) -> None:
    _arrange(base, 0o600, 0o700)


def _open(base: Path) -> None:
    _arrange(base, 0o644, 0o755)


Arrange = Callable[[Path], None]

ARRANGEMENTS: dict[str, Arrange] = {
    "one private file": _one_private_file,
    "one private folder": _one_private_folder,
    "one private empty folder": _one_private_empty_folder,
    "private tables/": _private_tables,
    "a private file beside the tables": _private_loose_file,
    "one private dotfile": _one_private_dotfile,
    "one private table": _one_private_table,
    "all for the group": _for_the_group,
    "all written by the group": _written_by_the_group,
    "one file for the group": _one_file_for_the_group,
    "nothing for the group": _not_for_the_group,
    "all private": _private,
    "all open": _open,
}


@case(
    "ticket/create/private",
    "Archive and backups/ are closed to whom one file deep in an open database is closed.",
)
def test_an_archive_is_as_private_as_the_most_private_file(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    _one_private_file(reedbackup_db)
    _expect_private(reedbackup, reedbackup_db, "one private file")


@cases(
    "ticket/create/private/under-umask",
    "Under umask {variant} too, archive and backups/ give nothing that all of tables/ does not.",
    {"000": 0o000, "022": 0o022, "077": 0o077},
)
def test_an_archive_is_private_whatever_the_umask(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase, variant: int
) -> None:
    bases = {what: reedbackup_make_db(SMALL) for what in ARRANGEMENTS}
    for what, base in bases.items():
        ARRANGEMENTS[what](base)
    with under_umask(reedbackup, variant):
        for what, base in bases.items():
            _expect_private(reedbackup, base, what)


@case(
    "ticket/create/private/again",
    "Once the database is private, so is the next archive, in a backups/ that was open before.",
)
def test_a_later_archive_is_as_private_as_the_database_then(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    _open(reedbackup_db)
    reedbackup.created(reedbackup_db)
    # As somebody made it who wants it so: it is not this call's.
    (reedbackup_db / "backups").chmod(0o755)
    _one_private_file(reedbackup_db)
    for call in ("the next archive", "the one after"):
        reedbackup.clock.advance()
        made = reedbackup.created(reedbackup_db)
        _expect_no_more(archive_of(reedbackup_db, made.id), Given.by(reedbackup_db).file, call)


@case(
    "ticket/create/private/while-it-runs",
    "What create writes of a private database is private from its creation on.",
)
def test_no_temporary_file_is_open_to_others(
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    secret = reedbackup_db / "tables" / "text" / "secret.bin"
    secret.write_bytes(Random(0).randbytes(SECRET_BYTES))
    _arrange(reedbackup_db, 0o644, 0o755)
    secret.chmod(0o600)
    # It is open already, so that nobody is kept out by it.
    (reedbackup_db / "backups").mkdir(mode=0o755)
    with under_umask(reedbackup, 0o000):
        files = files_made_by_create(reedbackup, reedbackup_db, 0o000)
    given = Given.by(reedbackup_db).file
    for file in [f for f in files if f.written >= MUCH or f.path.endswith(".tar.gz")]:
        expect_that(
            not file.open_to & OTHERS & ~given,
            f"the mode of {file.path} while create runs under umask 000",
            expected=f"no more for group and others than {given:04o} at any time",
            found=f"{file.open_to:04o}, and {file.written} bytes written to it",
        )


def _expect_private(reedbackup: TicketImplementation, base: Path, what: str) -> None:
    given = Given.by(base)
    made = reedbackup.created(base)
    _expect_no_more(archive_of(base, made.id), given.file, f"the archive, with {what}")
    _expect_no_more(base / "backups", given.folder, f"backups/ that create made, with {what}")


def _expect_no_more(path: Path, given: int, what: str) -> None:
    mode = mode_of(path)
    expect_that(
        not mode & OTHERS & ~given,
        f"the mode of {what}",
        expected=f"no more for group and others than tables/ and all in it give, {given:04o}",
        found=f"{mode:04o}",
    )
