"""Progress is shown at a terminal to who waits, and to nobody else; the last line says it all."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from fixture_types import BackupAt
from reference.cli.fixture_types import RunCommand
from reference.cli.terminals.terminal import at_terminal

from reedbase_backup.cli.choosing.chosen import all_bytes
from reedbase_backup.meter import Meter
from reedbase_backup.sizes import live_bytes
from reedbase_backup.verify import verify

SLOW = """
import sys, time
from {module} import {owner} as owner
before = owner.{function}
def waiting(*given):
    time.sleep({secs})
    return before(*given)
owner.{function} = waiting
from reedbase_backup.cli.commands import main
sys.exit(main())
"""
SLOW_CREATE = SLOW.format(
    module="reedbase_backup.archive.gzip_writer",
    owner="GzipWriter",
    function="begin_stretch",
    secs=0.15,
)
SLOW_VERIFY = SLOW.format(
    module="reedbase_backup.archive.reader",
    owner="ArchiveReader",
    function="read_through",
    secs=0.3,
)
LAST_LINE = re.compile(
    r"Backup \d+ of \S+: 2 tables, \d+\.\d KiB in [\d.]+ (KiB|bytes) \(\d+ %\), in [\d.]+ m?s\n"
)


@pytest.mark.slow
def test_who_waits_at_a_terminal_sees_how_far_it_is_how_fast_and_how_long_yet(base: Path) -> None:
    status, shown = at_terminal("create", base, command=(sys.executable, "-c", SLOW_CREATE))
    assert status == 0
    assert "Backing up" in shown
    assert re.search(r"\d %|\d%", shown)
    assert "/s" in shown
    assert re.search(r"\d:\d\d:\d\d", shown)


@pytest.mark.slow
def test_in_a_pipe_nothing_is_shown_but_the_last_line(base: Path) -> None:
    command = [sys.executable, "-c", SLOW_CREATE, "create", str(base)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert LAST_LINE.fullmatch(done.stdout)


def test_what_is_over_at_once_shows_no_bar(base: Path) -> None:
    status, shown = at_terminal("create", base, columns=120)
    assert status == 0
    assert LAST_LINE.fullmatch(shown)


def test_a_restores_last_line_says_sizes_ratio_and_duration(
    base: Path, backup_at: BackupAt, run: RunCommand
) -> None:
    backup_at(base, 1000)
    out = run("restore", base, "--to", "latest")[1]
    assert re.fullmatch(
        r"Restored backup 1000 of \S+: 2 tables, [\d.]+ KiB in .* \(\d+ %\), in [\d.]+ m?s\n", out
    )


def test_no_bytes_are_counted_where_nobody_is_told_of_them(
    base: Path, run: RunCommand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def counted(*_: object) -> int:
        raise AssertionError("each file is looked at once more")

    for name in ("create.live_bytes", "verify._bytes_to_read", "restore.picked_bytes"):
        monkeypatch.setattr(f"reedbase_backup.cli.subcommands.{name}", counted)
    assert run("create", base, "--json")[0] == 0
    assert run("verify", base, "--deep")[0] == 0
    assert run("restore", base, "--to", "latest")[0] == 0


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--deep"]])
def test_a_verify_shows_at_a_terminal_how_far_it_is(
    base: Path, backup_at: BackupAt, options: list[str]
) -> None:
    for second in range(1000, 1008):
        backup_at(base, second)
    command = (sys.executable, "-c", SLOW_VERIFY)
    status, shown = at_terminal("verify", base, *options, command=command)
    assert status == 0
    assert "Verifying" in shown
    assert "/s" in shown
    assert re.search(r"\d:\d\d:\d\d", shown)
    # It has taken itself away, and the table has its place.
    assert re.match(r"(\x1b\[\w+)*\s*id ", shown.rpartition("\x1b[2K")[2])


def test_what_a_verify_reads_adds_up_to_the_archives_and_what_is_live(
    base: Path, backup_at: BackupAt
) -> None:
    for second in (1000, 2000):
        backup_at(base, second)
    archives = {path.name: path.stat().st_size for path in (base / "backups").iterdir()}
    for ids, deep, expected in (
        ([], False, sum(archives.values())),
        (["1000"], False, archives["1000.tar.gz"]),
        ([], True, sum(archives.values()) + live_bytes(str(base))),
    ):
        meter = Meter()
        verify(base, ids, deep=deep, meter=meter)
        assert meter.done() == expected
        assert all_bytes(str(base), ids) + (live_bytes(str(base)) if deep else 0) == expected
