"""The registry under contract `last`: whose name a restore writes in version.log."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect
from pytest_reedbackup.checks.last_outcomes import Restored, expected_outcomes
from pytest_reedbackup.checks.last_restores import expect_restore
from pytest_reedbackup.connections.implementation import LastImplementation
from pytest_reedbackup.databases.spec import SMALL, Spec
from pytest_reedbackup.model.case import case, cases
from pytest_reedbackup.views.tables import IS_A_FOLDER, NO_FOLDER, tables_of
from reedbase_backup.types import U64_MAX

HEADER = "code|username|created_at\n"

SYSTEM_USERS = {
    "code-0": (HEADER + "0|system|1700000000\n1|admin|1700000000\n", 0),
    "another-code": (HEADER + "1|admin|1700000000\n7|system|1700000000\n", 7),
    "the-later-of-two-lines": (HEADER + "0|system|1700000000\n1|admin|0\n9|system|0\n", 9),
    "two-fields": (HEADER + "1|admin\n4|system\n", 4),
    "blank-and-short-lines": (HEADER + "\n \nalone\n6|system|1\n", 6),
    "crlf": (HEADER.replace("\n", "\r\n") + "1|admin\r\n3|system\r\n", 3),
    "plus-and-zeros": (HEADER + "+02|system|1\n", 2),
    "any-first-line": ("9|system|1\n3|system|1\n", 3),
}

NEW_USERS = {
    "of-an-empty-dictionary": ("", 1),
    "after-the-largest": ("1|admin|1\n9|zoe|1\n4|eve|1\n", 10),
    "after-the-last-there-is": ("4294967295|zoe|1\n", 0),
    "names-as-they-stand": ("1|System|1\n2| system|1\n3|system |1\n", 4),
}

DAMAGED = {
    "behind-the-damage": (b"x|ghost|1\n1|admin|1\n", 1),
    "not-utf-8": (b"0|root|1\n1|admin|1\n\xff|ghost|1\n", 1),
}


@cases(
    "last/registry/system-user",
    "The new version's user is the code of system in users.dict ({variant}).",
    SYSTEM_USERS,
)
def test_the_user_is_the_code_of_system(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, int]
) -> None:
    users, code = variant
    (reedbackup_db / "registry" / "users.dict").write_text(users)
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected_outcomes(reedbackup_db, U64_MAX))
    _expect_users(reedbackup_db, code)


@case(
    "last/registry/system-user/new",
    "Where users.dict does not know system, it gets the next code and a line there.",
)
def test_an_unknown_system_gets_the_next_code(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    users = reedbackup_db / "registry" / "users.dict"
    users.write_text(HEADER + "0|admin|1700000000\n1|editor|1700000000\n")
    report = reedbackup.restored(reedbackup_db, U64_MAX)
    expect("the tables in errors", list(report.errors), [])
    _expect_users(reedbackup_db, 2)
    known = [line.split("|")[:2] for line in users.read_text(errors="replace").splitlines()[1:]]
    expect("users.dict", known, [["0", "admin"], ["1", "editor"], ["2", "system"]])


def _no_registry(base: Path) -> None:
    shutil.rmtree(base / "registry")


def _empty_registry(base: Path) -> None:
    _no_registry(base)
    (base / "registry").mkdir()


def _no_users(base: Path) -> None:
    (base / "registry" / "users.dict").unlink()


@cases(
    "last/registry/missing",
    "Where there is {variant}, users.dict is made with system and admin, and system has code 0.",
    {
        "no-registry": _no_registry,
        "an-empty-registry": _empty_registry,
        "no-users-dict": _no_users,
    },
)
def test_a_missing_dictionary_of_users_is_made(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: Callable[[Path], None]
) -> None:
    variant(reedbackup_db)
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected_outcomes(reedbackup_db, U64_MAX))
    _expect_users(reedbackup_db, 0)
    made = (reedbackup_db / "registry" / "users.dict").read_text().splitlines()[1:]
    expect("users.dict", [line.split("|")[:2] for line in made], [["0", "system"], ["1", "admin"]])


@cases(
    "last/registry/system-user/code",
    "A system that users.dict does not have gets the code {variant}, and a line there.",
    NEW_USERS,
)
def test_a_new_system_gets_one_more_than_the_largest_code(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[str, int]
) -> None:
    lines, code = variant
    _expect_added(reedbackup, reedbackup_db, (HEADER + lines).encode(), code)


@cases(
    "last/registry/damaged",
    "Of users.dict only the lines before the damage count, none where it is no UTF-8: {variant}.",
    DAMAGED,
    defect="D16",
)
def test_lines_behind_the_damage_do_not_count(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: tuple[bytes, int]
) -> None:
    lines, code = variant
    _expect_added(reedbackup, reedbackup_db, HEADER.encode() + lines, code)


@case(
    "last/registry/no-final-newline",
    "The line of system is glued to a last line of users.dict without a newline.",
    defect="D16",
)
def test_the_new_line_is_glued_to_one_without_its_newline(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    _expect_added(reedbackup, reedbackup_db, HEADER.encode() + b"7|zoe|1", 8)


@cases(
    "last/registry/unwritable",
    "The error that users.dict cannot be appended to comes when tables are written: {variant}.",
    {"users-dict-is-a-folder": IS_A_FOLDER, "registry-is-a-file": NO_FOLDER},
    defect="D15",
)
def test_the_error_about_users_comes_after_the_tables_were_written(
    reedbackup: LastImplementation, reedbackup_db: Path, variant: str
) -> None:
    registry, users = reedbackup_db / "registry", reedbackup_db / "registry" / "users.dict"
    if variant == IS_A_FOLDER:
        users.unlink()
        users.mkdir()
    else:
        shutil.rmtree(registry)
        registry.write_text("")
    tables = tables_of(reedbackup_db)
    target = max(table.versions()[0].timestamp for table in tables.values())
    expected = expected_outcomes(reedbackup_db, target)
    deltas = {name: len(list(table.path.glob("*.bsdiff"))) for name, table in tables.items()}
    report = reedbackup.restored(reedbackup_db, target)
    error = {"kind": "IoError", "operation": "append_users_dict", "reason": variant}
    expect("the errors", dict(report.errors), dict.fromkeys(tables, error))
    for name, table in tables.items():
        outcome = expected[name]
        assert isinstance(outcome, Restored)
        expect(f"current.csv of {name}", table.current.read_bytes(), outcome.content)
        found = len(list(table.path.glob("*.bsdiff")))
        expect(f"the deltas of {name}", found, deltas[name] + 1)


@case(
    "last/registry/actions-unread",
    "Whatever actions.dict holds, the tables are restored.",
)
def test_actions_have_no_say_in_a_restore(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    (reedbackup_db / "registry" / "actions.dict").write_bytes(b"\xff\nx|update|y\n")
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected_outcomes(reedbackup_db, U64_MAX))


@case(
    "last/registry/system-user/no-registry",
    "Without a registry/ the tables are restored, by user 0.",
)
def test_without_a_registry_system_is_user_0(
    reedbackup: LastImplementation, reedbackup_db: Path
) -> None:
    shutil.rmtree(reedbackup_db / "registry")
    expect_restore(reedbackup, reedbackup_db, U64_MAX, expected_outcomes(reedbackup_db, U64_MAX))
    _expect_users(reedbackup_db, 0)


@case(
    "last/registry/two-bases",
    "Restores of two bases in turn write each base's own code of system.",
)
def test_two_bases_keep_their_users_apart(
    reedbackup: LastImplementation, reedbackup_make_db: Callable[[Spec], Path]
) -> None:
    bases = {code: reedbackup_make_db(SMALL) for code in (3, 5)}
    for code, base in bases.items():
        (base / "registry" / "users.dict").write_text(HEADER + f"{code}|system|1700000000\n")
    for code, base in (*bases.items(), *bases.items()):
        expect_restore(reedbackup, base, U64_MAX, expected_outcomes(base, U64_MAX))
        _expect_users(base, code)


def _expect_added(reedbackup: LastImplementation, base: Path, users: bytes, code: int) -> None:
    """A restore must write `code`, and add just its line to the content `users` of users.dict."""
    path = base / "registry" / "users.dict"
    path.write_bytes(users)
    report = reedbackup.restored(base, U64_MAX)
    expect("the tables in errors", list(report.errors), [])
    _expect_users(base, code)
    added = path.read_bytes().removeprefix(users)
    expect(
        "what is new in users.dict",
        re.sub(rb"[0-9]+\n", b"(time)", added),
        b"%d|system|(time)" % code,
    )


def _expect_users(base: Path, code: int) -> None:
    """Every table's newest version must be by this user."""
    found = {name: table.versions()[-1].user for name, table in tables_of(base).items()}
    expect("the users of the new versions", found, dict.fromkeys(found, code))
