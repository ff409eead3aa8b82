"""What create_backup under contract `ticket` refuses: bases that are no database."""

from __future__ import annotations

import shutil
from pathlib import Path

from pytest_reedbackup.checks.backups import archive_of
from pytest_reedbackup.checks.expectations import expect_same_tree
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import (
    read_tree,
)
from pytest_reedbackup.databases.spec import EMPTY
from pytest_reedbackup.fixtures import MakeDatabase
from pytest_reedbackup.implementations.answers import refusal_of
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.base import (
    below_roots,
    live_tree,
)
from pytest_reedbackup.views.tree import Tree


@cases(
    "ticket/create/no-base",
    "Create on a base that is {variant} is refused, and nothing is created.",
    {"missing": "typo/.reed", "below-a-missing-folder": "no/such/folder/.reed", "a-file": "file"},
)
def test_create_refuses_a_base_that_is_no_folder(
    reedbackup: TicketImplementation, reedbackup_db: Path, variant: str
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
    reedbackup: TicketImplementation, reedbackup_db: Path
) -> None:
    shutil.rmtree(reedbackup_db / "tables")
    before = Tree.read(reedbackup_db)
    answer = reedbackup.create_backup(reedbackup_db)
    expect_same_tree("the base", Tree.read(reedbackup_db), before)
    refusal_of(answer, "create_backup", ("NoTablesFound",))


@case("ticket/create/no-tables/empty", "An empty tables/ is a database of 0 tables.")
def test_an_empty_tables_folder_is_a_database(
    reedbackup: TicketImplementation, reedbackup_make_db: MakeDatabase
) -> None:
    base = reedbackup_make_db(EMPTY)
    source = live_tree(base)
    archived = read_tree(archive_of(base, reedbackup.created(base).id))
    expect_same_tree("the archive's members", below_roots(archived), below_roots(source))
