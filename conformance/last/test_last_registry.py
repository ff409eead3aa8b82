"""The registry under contract `last`: whose name a restore writes in version.log."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.cases import case, cases
from pytest_reedbackup.databases.spec import SMALL, Spec
from pytest_reedbackup.databases.tables import U64_MAX, tables_of
from pytest_reedbackup.promises import expect
from pytest_reedbackup.restores import expect_restore, fates
from pytest_reedbackup.subject import Subject

HEADER = "code|username|created_at\n"

SYSTEM_USERS = {
    "code-0": (HEADER + "0|system|1700000000\n1|admin|1700000000\n", 0),
    "another-code": (HEADER + "1|admin|1700000000\n7|system|1700000000\n", 7),
    "the-later-of-two-lines": (HEADER + "0|system|1700000000\n1|admin|0\n9|system|0\n", 9),
}


@cases(
    "last/registry/system-user",
    "The new version's user is the code of system in users.dict ({variant}).",
    SYSTEM_USERS,
)
def test_the_user_is_the_code_of_system(
    reedbackup: Subject, reedbackup_db: Path, variant: tuple[str, int]
) -> None:
    users, code = variant
    (reedbackup_db / "registry" / "users.dict").write_text(users)
    expect_restore(reedbackup, reedbackup_db, U64_MAX, fates(reedbackup_db, U64_MAX))
    _expect_users(reedbackup_db, code)


@case(
    "last/registry/system-user/new",
    "Where users.dict does not know system, it gets the next code and a line there.",
)
def test_an_unknown_system_gets_the_next_code(reedbackup: Subject, reedbackup_db: Path) -> None:
    users = reedbackup_db / "registry" / "users.dict"
    users.write_text(HEADER + "0|admin|1700000000\n1|editor|1700000000\n")
    report = reedbackup.restored(reedbackup_db, U64_MAX)
    expect("the tables in errors", list(report.errors), [])
    _expect_users(reedbackup_db, 2)
    known = [line.split("|")[:2] for line in users.read_text(errors="replace").splitlines()[1:]]
    expect("users.dict", known, [["0", "admin"], ["1", "editor"], ["2", "system"]])


@case(
    "last/registry/system-user/no-registry",
    "Without a registry/ the tables are restored, by user 0.",
)
def test_without_a_registry_system_is_user_0(reedbackup: Subject, reedbackup_db: Path) -> None:
    shutil.rmtree(reedbackup_db / "registry")
    expect_restore(reedbackup, reedbackup_db, U64_MAX, fates(reedbackup_db, U64_MAX))
    _expect_users(reedbackup_db, 0)


@case(
    "last/registry/two-bases",
    "Restores of two bases in turn write each base's own code of system.",
)
def test_two_bases_keep_their_users_apart(
    reedbackup: Subject, reedbackup_make_db: Callable[[Spec], Path]
) -> None:
    bases = {code: reedbackup_make_db(SMALL) for code in (3, 5)}
    for code, base in bases.items():
        (base / "registry" / "users.dict").write_text(HEADER + f"{code}|system|1700000000\n")
    for code, base in (*bases.items(), *bases.items()):
        expect_restore(reedbackup, base, U64_MAX, fates(base, U64_MAX))
        _expect_users(base, code)


def _expect_users(base: Path, code: int) -> None:
    """Every table's newest version must be by this user."""
    found = {name: table.versions()[-1].user for name, table in tables_of(base).items()}
    expect("the users of the new versions", found, dict.fromkeys(found, code))
