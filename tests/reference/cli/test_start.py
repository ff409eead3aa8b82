"""A command starts fast, as it loads what it needs and no more."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from fixture_types import BackupAt
from reference.cli.fixture_types import RunCommand

from reedbase_backup.cli.table import all_commands

LOADED = """
import sys
before = set(sys.modules)
from reedbase_backup.cli.commands import main
status = main(sys.argv[1:])
print(*sys.modules.keys() - before, sep="\\n", file=sys.stderr)
sys.exit(status)
"""
DEAR = {
    "argcomplete",
    "importlib.metadata",
    "email",
    "rich",
    "asyncio",
    "hypothesis",
    "pytest",
    "msgspec",
    "fsspec",
    "reedbase_backup.remote",
}
# What takes as long to load as all else of a list does.
READING = {"hashlib", "decimal", "isal", "reedbase_backup.archive.reader"}
JSON = {"json", "reedbase_backup.adapter.json_values"}


def modules_of(*arguments: str) -> set[str]:
    """Return what `reedbackup` loads to run a command."""
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return set(ended.stderr.split("\n"))


@pytest.mark.parametrize(
    ("command", "needed", "unneeded"),
    [
        (
            "list",
            "reedbase_backup.list",
            {"reedbase_backup.create", "subprocess", "pathlib", "shlex", "shutil"} | READING | JSON,
        ),
        ("verify", "reedbase_backup.verify", {"reedbase_backup.restore", "pathlib"} | JSON),
        ("create", "reedbase_backup.create", {"reedbase_backup.comparing.preview"}),
    ],
)
def test_a_command_loads_nothing_of_the_others(
    base: Path, backup_at: BackupAt, command: str, needed: str, unneeded: set[str]
) -> None:
    backup_at(base, 1000)
    loaded = modules_of(command, str(base))
    assert needed in loaded
    assert loaded & (unneeded | DEAR | {"reedbase_backup.adapter.rust.crate"}) == set()


def test_an_adapter_starts_without_looking_up_what_is_installed() -> None:
    loaded = modules_of("serve", "python")
    assert "reedbase_backup.create" in loaded
    assert loaded & DEAR == {"msgspec"}


def test_help_loads_nothing_that_reads_a_base() -> None:
    loaded = modules_of("list", "--help")
    assert "argparse" in loaded
    assert loaded & (READING | JSON | DEAR | {"reedbase_backup.list"}) == set()


def test_what_the_package_offers_is_there_by_every_way_to_ask() -> None:
    code = (
        "import reedbase_backup as r\n"
        "assert 'reedbase_backup.restore' not in __import__('sys').modules\n"
        "assert all(getattr(r, name).__name__ == name for name in r.__all__)\n"
        "from reedbase_backup import *\n"
        "assert restore_point_in_time is r.restore_point_in_time\n"
        "try:\n    r.nothing\nexcept AttributeError as error:\n    print(error)\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ended.stdout == "module 'reedbase_backup' has no attribute 'nothing'\n", ended.stderr


def test_help_names_commands_of_all_packages_and_loads_none_of_them() -> None:
    ended = subprocess.run([sys.executable, "-c", LOADED, "--help"], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr
    loaded = set(ended.stderr.split("\n"))
    commands = all_commands()
    assert {"create", "serve"} <= commands.keys()
    for name, command in commands.items():
        assert f"\n    {name} " in ended.stdout
        assert command.words in " ".join(ended.stdout.split())
        assert command.module not in loaded


@pytest.mark.parametrize("asked", [["list", "--help"], ["--hel"], []])
def test_help_is_as_wide_as_the_terminal(
    run: RunCommand, monkeypatch: pytest.MonkeyPatch, asked: list[str]
) -> None:
    widths = []
    for columns in ("50", "120"):
        monkeypatch.setenv("COLUMNS", columns)
        widths.append(max(len(line) for line in run(*asked)[1].split("examples:")[0].splitlines()))
    assert widths[0] <= 50 < widths[1] <= 120


@pytest.mark.parametrize("name", all_commands())
def test_every_commands_help_has_examples(run: RunCommand, name: str) -> None:
    status, out, err = run(name, "--help")
    assert (status, err) == (0, "")
    assert f"examples:\n  reedbackup {name}" in out
