"""The command `reedbackup`: what people and programs read, and its exit status."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
from fixture_types import BackupAt, MakeBase, TakeSnapshot

from reedbase_backup import create_backup, list_backups
from reedbase_backup.cli import commands
from reedbase_backup.cli.commands import main


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs one command: its exit status, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        try:
            status = main([str(argument) for argument in arguments])
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
        printed = capsys.readouterr()
        return status, printed.out, printed.err

    return call


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "UTC")
    import time

    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_create_makes_a_backup_and_says_which(
    base: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    status, out, err = run("create", base)
    made = list_backups(base)[0]
    assert (status, err) == (0, "")
    assert out.startswith(f"Backup {made.id} of 20")
    assert "2 tables" in out


def test_create_as_json_is_the_backups_info(
    base: Path, run: Callable[..., tuple[int, str, str]]
) -> None:
    status, out, err = run("create", "--json", base)
    made = list_backups(base)[0]
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "id": made.id,
        "timestamp": made.timestamp,
        "size_bytes": made.size_bytes,
        "table_count": 2,
        "compression": "gzip",
    }


def test_list_shows_seconds_date_age_size_and_tables_newest_first(
    base: Path, backup_at: BackupAt, run: Callable[..., tuple[int, str, str]]
) -> None:
    backup_at(base, 1000)
    newest = backup_at(base, 90_000)
    status, out, _ = run("list", base)
    header, first, second = (line.split("\t") for line in out.splitlines())
    assert status == 0
    assert header == ["id", "date", "age", "size", "tables"]
    assert first[:2] == ["90000", "1970-01-02T01:00:00+00:00"]
    assert first[2].endswith("years ago")
    assert first[3] == f"{newest.size_bytes / 1024:.1f} KiB"
    assert second == ["1000", "1970-01-01T00:16:40+00:00", *second[2:4], "2"]


def test_list_as_json_keeps_numbers_beyond_63_bits(
    base: Path, backup_at: BackupAt, run: Callable[..., tuple[int, str, str]]
) -> None:
    backup_at(base, 2**64 - 1)
    assert json.loads(run("list", base, "--json")[1])[0]["timestamp"] == 2**64 - 1


@pytest.mark.parametrize("command", ["list", "verify"])
def test_a_base_without_backups_is_no_failure(
    base: Path, run: Callable[..., tuple[int, str, str]], command: str
) -> None:
    assert run(command, base) == (0, f"No backups in {base}\n", "")
    assert run(command, base, "--json") == (0, "[]\n", "")


@pytest.mark.parametrize("to", ["1970-01-01T00:20", "1970-01-01T01:20+01:00", "1970-01-02", "1000"])
def test_restore_takes_dates_and_seconds_and_says_which_backup_it_took(
    base: Path, backup_at: BackupAt, run: Callable[..., tuple[int, str, str]], to: str
) -> None:
    before = (base / "tables" / "text" / "current.csv").read_bytes()
    backup_at(base, 1000)
    backup_at(base, 2**33)
    (base / "tables" / "text" / "current.csv").write_text("now")
    status, out, err = run("restore", base, "--to", to)
    assert (status, err) == (0, "")
    assert out.startswith("Restored backup 1000 of 1970-01-01T00:16:40+00:00: 2 tables, ")
    assert (base / "tables" / "text" / "current.csv").read_bytes() == before


def test_restore_as_json_names_the_backup_and_gives_the_report(
    base: Path, backup_at: BackupAt, run: Callable[..., tuple[int, str, str]]
) -> None:
    backup_at(base, 1000)
    report = json.loads(run("restore", base, "--to", "1000", "--json")[1])
    assert (report["id"], report["timestamp"], report["tables_restored"]) == ("1000", 1000, 2)
    assert report.keys() == {"id", "timestamp", "tables_restored", "total_bytes", "duration_ms"}


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    base: Path,
    backup_at: BackupAt,
    run: Callable[..., tuple[int, str, str]],
    snapshot: TakeSnapshot,
) -> None:
    backup_at(base, 1000)
    text = base / "tables" / "text"
    (text / "current.csv").write_text("now")
    (text / "version.log").chmod(0o600)
    (text / "empty.csv").unlink()
    for n in range(12):
        (base / "indices" / f"new{n:02}").touch()
    before, names = snapshot(base), os.listdir(base)

    status, out, err = run("restore", base, "--to", "1000", "--dry-run")

    assert (status, err) == (0, "")
    assert out.splitlines()[0].startswith("Would restore backup 1000 of 1970-01-01T00:16:40")
    assert "1 would come back:\n  tables/text/empty.csv\n" in out
    assert "1 would change:\n  tables/text/current.csv\n" in out
    assert "1 would change in mode only:\n  tables/text/version.log\n" in out
    assert "12 would go:\n  indices/new00\n" in out
    assert "  indices/new09\n  and 2 more\n" in out
    assert (snapshot(base), os.listdir(base)) == (before, names)


def test_a_dry_run_as_json_names_all(
    base: Path, backup_at: BackupAt, run: Callable[..., tuple[int, str, str]]
) -> None:
    backup_at(base, 1000)
    for n in range(12):
        (base / "indices" / f"new{n:02}").touch()
    found = json.loads(run("restore", base, "--to", "1000", "--dry-run", "--json")[1])
    assert found["removed"] == [f"indices/new{n:02}" for n in range(12)]
    assert (found["id"], found["added"], found["changed"], found["mode_changed"]) == (
        "1000",
        [],
        [],
        [],
    )


def test_verify_fails_where_one_backup_is_damaged_and_says_which(
    base: Path, backup_at: BackupAt, run: Callable[..., tuple[int, str, str]]
) -> None:
    for second in (1000, 2000):
        backup_at(base, second)
    (base / "backups" / "1000.tar.gz").write_bytes(b"not gzip")
    status, out, _ = run("verify", base)
    _, sound, damaged = out.splitlines()
    assert status == 1
    assert sound.startswith("2000\t")
    assert sound.endswith("\tsound: 2 tables, every SHA-256 right")
    assert damaged.startswith("1000\t")
    assert "\tDAMAGED: Backup '1000.tar.gz' is corrupted: it is not a gzip file" in damaged
    assert run("verify", base, "2000")[0] == 0

    found = json.loads(run("verify", base, "--json")[1])
    assert [one["is_sound"] for one in found] == [True, False]
    assert found[1]["damage"]["kind"] == "BackupCorrupted"


def test_verify_tells_what_is_damaged_from_what_is_refused(
    base: Path, backup_at: BackupAt, run: Callable[..., tuple[int, str, str]]
) -> None:
    backup_at(base, 1000)
    with tarfile.open(base / "backups" / "2000.tar.gz", "w:gz") as archive:
        archive.add(base / "tables", "../tables")
    out = run("verify", base)[1]
    assert "\tREFUSED: Unsafe entry '../tables/': the name leads out of the database" in out


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
    run: Callable[..., tuple[int, str, str]],
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
    run: Callable[..., tuple[int, str, str]],
    snapshot: TakeSnapshot,
    arguments: list[str],
) -> None:
    before = snapshot(base)
    status, out, err = run(*[argument.format(base=base) for argument in arguments])
    assert (status, out) == (2, "")
    assert err.startswith("usage: reedbackup")
    assert snapshot(base) == before


def test_help_shows_every_command_and_examples(run: Callable[..., tuple[int, str, str]]) -> None:
    status, out, _ = run("--help")
    assert status == 0
    for words in ("create", "list", "restore", "verify", "serve", "adapter", "--to 2026-11-22T10"):
        assert words in out


def test_version_is_the_distributions(run: Callable[..., tuple[int, str, str]]) -> None:
    from importlib.metadata import version

    assert run("--version") == (0, f"reedbackup {version('pytest-reedbackup')}\n", "")


def test_names_that_would_write_to_the_terminal_are_shown_with_escapes(
    base: Path, backup_at: BackupAt, run: Callable[..., tuple[int, str, str]]
) -> None:
    backup_at(base, 1000)
    (base / "indices" / "a\x1b[31m\nb").touch()
    Path(os.fsdecode(os.fsencode(base / "indices") + b"/\xff")).touch()
    out = run("restore", base, "--to", "1000", "--dry-run")[1]
    assert "  indices/a\\x1b[31m\\nb\n" in out
    assert "  indices/\\udcff\n" in out
    removed = json.loads(run("restore", base, "--to", "1000", "--dry-run", "--json")[1])["removed"]
    assert removed == ["indices/a\x1b[31m\nb", "indices/\\udcff"]


def _child(
    *arguments: object, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> subprocess.CompletedProcess[str]:
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=env, cwd=cwd)


def test_names_print_in_an_encoding_that_lacks_their_letters(
    base: Path, backup_at: BackupAt
) -> None:
    backup_at(base, 1000)
    (base / "indices" / "größe").touch()
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = _child("restore", base, "--to", "1000", "--dry-run", env=environment)
    assert (done.returncode, done.stderr) == (0, "")
    assert "gr\\xf6\\xdfe" in done.stdout


def test_output_that_nobody_reads_to_its_end_is_no_traceback(
    base: Path, backup_at: BackupAt
) -> None:
    for second in range(30):
        backup_at(base, second)
    read_end, write_end = os.pipe()
    os.close(read_end)
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "list", base]
    done = subprocess.run(command, stdout=write_end, stderr=subprocess.PIPE, text=True)
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


def test_output_is_not_left_to_the_end_where_its_failing_would_be_noise(
    base: Path, backup_at: BackupAt
) -> None:
    """Little output stays in Python's buffer until something flushes it."""
    backup_at(base, 1000)
    read_end, write_end = os.pipe()
    os.close(read_end)
    buffered = {k: v for k, v in os.environ.items() if k != "PYTHONUNBUFFERED"}
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "list", base]
    done = subprocess.run(
        command, stdout=write_end, stderr=subprocess.PIPE, text=True, env=buffered
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (1, "")


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("options", [[], ["--json"]])
def test_output_to_a_full_disk_is_one_line_that_says_so(
    base: Path, backup_at: BackupAt, unbuffered: str, options: list[str]
) -> None:
    if not os.path.exists("/dev/full"):
        pytest.skip("this system has no /dev/full")
    backup_at(base, 1000)
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "list", base, *options]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment
        )
    words = "reedbackup: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, words)


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_backup_is_made_where_nobody_is_to_be_told(base: Path, options: list[str]) -> None:
    """As cron may start it, with stdout closed."""
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "create", base, *options]
    script: list[str | Path] = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    done = subprocess.run(script, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(list_backups(base)) == 1


@pytest.mark.parametrize("command", ["list", "verify"])
def test_no_backups_because_of_no_database_is_said(
    run: Callable[..., tuple[int, str, str]], tmp_path: Path, command: str
) -> None:
    status, out, err = run(command, tmp_path / "typo")
    words = f"No backups: {tmp_path}/typo is not a folder; give the path of a .reed database\n"
    assert (status, out, err) == (0, words, "")


def test_an_interruption_is_one_line_and_what_shells_expect(
    base: Path, run: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "create_backup", interrupted)
    status, out, err = run("create", base)
    assert (status, out) == (130, "")
    assert err.startswith("reedbackup: interrupted")
    assert err.count("\n") == 1


@pytest.mark.parametrize("no_color", [False, True])
def test_a_terminal_gets_an_aligned_table_in_colour_unless_told_otherwise(
    base: Path, no_color: bool
) -> None:
    create_backup(base)
    primary, secondary = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS")}
    environment |= {"TERM": "xterm-256color", "COLUMNS": "120"}
    if no_color:
        environment |= {"NO_COLOR": "1", "TERM": "dumb"}
    command: list[str | Path] = [sys.executable, "-m", "reedbase_backup", "list", base]
    subprocess.run(command, stdout=secondary, check=True, env=environment)
    os.close(secondary)
    shown = os.read(primary, 1 << 16).decode()
    os.close(primary)
    assert "\t" not in shown
    assert list_backups(base)[0].id in shown
    assert ("\x1b[" in shown) is not no_color


def test_the_package_is_imported_without_what_only_the_command_needs() -> None:
    code = """
import sys
import reedbase_backup
assert not {"rich", "msgspec", "argparse", "pytest"} & sys.modules.keys()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
