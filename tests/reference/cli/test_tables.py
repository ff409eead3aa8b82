"""Tables fit the terminal: columns give way in a fixed order, and what matters most never does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fixture_types import BackupAt
from reference.cli.fixture_types import RunCommand
from reference.cli.terminals.terminal import at_terminal

pytestmark = pytest.mark.usefixtures("utc")

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
LONG_AGO = 1_000_000_000


def lines_at(columns: int, *arguments: object) -> list[str]:
    shown = at_terminal(*arguments, columns=columns).text
    lines = [line.rstrip() for line in _COLOURS.sub("", shown).splitlines()]
    assert max(map(len, lines)) <= columns
    return lines


@pytest.mark.parametrize(
    ("columns", "header"),
    [
        (100, ["id", "date", "age", "size", "tables"]),
        (80, ["id", "date", "age", "size", "tables"]),
        (60, ["id", "age", "size", "tables"]),
        (40, ["id", "age", "size"]),
        (20, ["id"]),
    ],
)
def test_a_list_fits_and_keeps_the_id(
    base: Path, backup_at: BackupAt, columns: int, header: list[str]
) -> None:
    backup_at(base, LONG_AGO)
    found, backup = lines_at(columns, "list", base)
    assert found.split() == header
    assert backup.startswith(str(LONG_AGO))


@pytest.mark.parametrize("columns", [80, 60, 40])
def test_a_list_shows_what_the_next_create_drops_at_any_width(
    base: Path, backup_at: BackupAt, run: RunCommand, columns: int
) -> None:
    for second in range(31):
        backup_at(base, LONG_AGO + second)
    assert "drops" not in run("list", base)[1]
    backup_at(base, LONG_AGO + 31)
    lines = lines_at(columns, "list", base)
    dropped = [line.split()[0] for line in lines if line.endswith("drops it")]
    assert dropped == [str(LONG_AGO)]
    run("create", base)
    assert str(LONG_AGO) not in run("list", base)[1]


@pytest.mark.parametrize(
    ("columns", "header"),
    [(100, ["id", "date", "size", "verdict"]), (60, ["id", "size", "verdict"])]
    + [(columns, ["id", "verdict"]) for columns in (40, 30)],
)
def test_verify_fits_and_keeps_the_verdict(
    base: Path, backup_at: BackupAt, columns: int, header: list[str]
) -> None:
    backup_at(base, LONG_AGO)
    (base / "backups" / f"{LONG_AGO + 1}.tar.gz").write_bytes(b"not gzip")
    found, *rest = lines_at(columns, "verify", base)
    assert found.split() == header
    words = " ".join(" ".join(rest).split())
    assert "DAMAGED: " in words
    assert "every SHA-256 right" in words


def test_show_lists_the_tables_of_a_backup_and_not_what_is_live(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 1000)
    (base / "tables" / "text").rename(base / "tables" / "renamed")
    status, out, _ = run("show", base, "latest")
    first, header, *rows = out.splitlines()
    assert status == 0
    assert first.startswith("Backup 1000 of 1970-01-01T00:16:40+00:00, ")
    assert header.split("\t") == ["part", "files", "size"]
    assert [row.split("\t")[:2] for row in rows] == [
        ["indices", "2"],
        ["tables/routes", "4"],
        ["tables/text", "6"],
    ]


def test_diff_says_what_is_another_between_backups_and_what_is_live(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    text = base / "tables" / "text"
    backup_at(base, 1000)
    (text / "current.csv").write_text("other")
    (text / "new").touch()
    backup_at(base, 2000)
    (text / "version.log").chmod(0o600)
    (text / "empty.csv").unlink()
    assert run("diff", base, "1000", "2000")[1] == (
        "M tables/text/current.csv\n+ tables/text/new\n+ 1 added, M 1 changed\n"
    )
    assert run("diff", base, "2000", "1000")[1].startswith("M tables/text/current.csv\n- tables/")
    assert run("diff", base, "2000", "live")[1] == (
        "- tables/text/empty.csv\nm tables/text/version.log\n"
        "- 1 removed, m 1 changed in mode only\n"
    )
    assert run("diff", base, "2000", "2000")[1] == "Nothing differs.\n"
    assert run("diff", base, "5", "live")[0] == 1
