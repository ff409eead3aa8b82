"""What fails is one line that says what to do, and a status of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from fixture_types import BackupAt, MakeBase, TakeSnapshot
from reference.cli.fixture_types import RunCommand

from reedbase_backup import create

pytestmark = pytest.mark.usefixtures("utc")

FAILURES = [
    (["create", "{missing}"], "IoError", "give the path of a .reed database"),
    (["create", "{empty}"], "NoTablesFound", "{empty} has no tables/ folder; give the path of"),
    (["restore", "{base}", "--to", "5"], "BackupNotFound", "no backup up to 1970-01-01T00:00:05"),
    (["restore", "{base}", "--to", "5"], "BackupNotFound", "the oldest is of 1970-01-01T00:16:40"),
    (["restore", "{empty}", "--to", "5"], "BackupNotFound", "{empty} has no backups (reedbackup c"),
    (["restore", "{missing}", "--to", "5"], "BackupNotFound", "{missing} is not a folder; give"),
    (["restore", "{base}", "--to", "2000"], "BackupCorrupted", "reedbackup verify shows which"),
    (["restore", "{base}", "--to", "2000", "--dry-run"], "BackupCorrupted", "'2000.tar.gz'"),
    (["verify", "{base}", "77"], "UnknownBackup", "no backup 77; `reedbackup list` shows all"),
    (["create", "{odd}"], "BackupUnsafe", "tables/link"),
]


@pytest.mark.parametrize(("arguments", "kind", "words"), FAILURES)
def test_a_failure_is_one_line_that_says_what_to_do_and_as_json_too(
    base: Path,
    backup_at: BackupAt,
    run: RunCommand,
    make_base: MakeBase,
    tmp_path: Path,
    arguments: list[str],
    kind: str,
    words: str,
) -> None:
    (tmp_path / "empty").mkdir()
    odd = make_base("t", name="odd")
    (odd / "tables" / "link").symlink_to("t")
    backup_at(base, 1000)
    (base / "backups" / "2000.tar.gz").touch()
    places = {name: tmp_path / name for name in ("missing", "empty", "odd")} | {"base": base}
    arguments = [argument.format(**places) for argument in arguments]

    status, out, err = run(*arguments)
    assert (status, out) == (1, "")
    assert err.startswith("reedbackup: ")
    assert err.count("\n") == 1
    assert words.format(**places) in err

    status, out, again = run(*arguments, "--json")
    assert (status, again) == (1, err)
    error = json.loads(out)["error"]
    assert error.keys() == {"kind", "fields", "message"}
    assert (error["kind"], f"reedbackup: {error['message']}\n") == (kind, err)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["nonsense"],
        ["create"],
        ["restore", "{base}"],
        ["restore", "{base}", "--to"],
        ["restore", "{base}", "--to", "yesterday"],
        ["restore", "{base}", "--to", str(2**64)],
        ["list", "{base}", "more"],
        ["create", "{base}", "--nonsense"],
        ["create", ""],
        ["list", ""],
        ["verify", ""],
        ["restore", "", "--to", "5"],
    ],
)
def test_a_wrong_call_is_status_2_and_does_nothing(
    base: Path,
    run: RunCommand,
    snapshot: TakeSnapshot,
    arguments: list[str],
) -> None:
    before = snapshot(base)
    status, out, err = run(*[argument.format(base=base) for argument in arguments])
    assert (status, out) == (2, "")
    assert err.startswith("usage: reedbackup")
    assert snapshot(base) == before


@pytest.mark.parametrize("command", ["list", "verify"])
def test_no_backups_because_of_no_database_is_said(
    run: RunCommand, tmp_path: Path, command: str
) -> None:
    status, out, err = run(command, tmp_path / "typo")
    words = f"No backups: {tmp_path}/typo is not a folder; give the path of a .reed database\n"
    assert (status, out, err) == (0, words, "")


def test_an_interruption_is_one_line_and_what_shells_expect(
    base: Path, run: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(create, "create_backup", interrupted)
    status, out, err = run("create", base)
    assert (status, out) == (130, "")
    assert err.startswith("reedbackup: interrupted")
    assert err.count("\n") == 1
