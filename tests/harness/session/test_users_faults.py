"""Faults in users' own tests: the examples of docs/your-tests.md as they stand there, on writers
that withstand them and on writers that do not."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest
from fixture_types import FindTool

pytest_plugins = ["pytester"]

SECTION = "## Faults in your own tests"

SAFE = """
import os

def add_row(table, row):
    new = table.with_name("current.csv.new")
    try:
        new.write_text(table.read_text() + row)
    except OSError:
        new.unlink()
        raise
    os.replace(new, table)
"""
IN_PLACE = """
def add_row(table, row):
    content = table.read_text()
    table.write_text("")
    table.write_text(content + row)
"""
SWALLOWS = """
def add_row(table, row):
    try:
        with table.open("a") as file:
            file.write(row)
    except OSError:
        pass
"""


def example(number: int) -> str:
    """Return an example of the section."""
    document = Path(__file__).resolve().parents[3] / "docs" / "your-tests.md"
    section = document.read_text().partition(SECTION)[2].partition("\n## ")[0]
    blocks = re.findall(r"^```python\n(.*?)^```", section, flags=re.DOTALL | re.MULTILINE)
    code: str = blocks[number]
    return code


@pytest.mark.slow
@pytest.mark.parametrize(("writer", "outcome"), [(SAFE, "passed"), (IN_PLACE, "failed")])
def test_a_full_disk_shows_who_changes_a_table_in_place(
    pytester: pytest.Pytester, writer: str, outcome: str
) -> None:
    pytester.makepyfile(my_project=writer, test_theirs=example(1))
    ended = pytester.runpytest_subprocess("-q")
    ended.assert_outcomes(**{outcome: 1})


def test_a_full_disk_shows_who_swallows_the_error(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(my_project=SWALLOWS, test_theirs=example(1))
    ended = pytester.runpytest_subprocess("-q")
    ended.assert_outcomes(failed=1)
    ended.stdout.fnmatch_lines(["E*AssertionError*"])


DURABLE = """
import os, sys

table = os.path.join(sys.argv[1], "tables", "text", "current.csv")
with open(table) as file:
    content = file.read() + "a.key|en|its value\\n"
with open(f"{table}.new", "w") as file:
    file.write(content)
    file.flush()
    os.fsync(file.fileno())
os.replace(f"{table}.new", table)
folder = os.open(os.path.dirname(table), os.O_RDONLY)
os.fsync(folder)
"""
NAME_BEFORE_CONTENT = DURABLE.replace("os.fsync(file.fileno())", "pass")
NAME_NOT_KEPT = DURABLE.replace("os.fsync(folder)", "pass")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("writer", "outcome", "words"),
    [
        (DURABLE, "passed", ""),
        (NAME_BEFORE_CONTENT, "failed", "*power cut*the database after*"),
        (NAME_NOT_KEPT, "failed", "*reply#1, power cut at once: the database after its success*"),
    ],
    ids=["durable", "name before content", "name not kept"],
)
def test_a_power_cut_shows_who_does_not_sync(
    pytester: pytest.Pytester, tool: FindTool, writer: str, outcome: str, words: str
) -> None:
    tool("strace")
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    program = pytester.path / "my-writer"
    program.write_text(f"#!{sys.executable} -B\n{writer}")
    program.chmod(0o755)
    pytester.makepyfile(test_theirs=example(0))
    ended = pytester.runpytest_subprocess("-q")
    ended.assert_outcomes(**{outcome: 1})
    ended.stdout.fnmatch_lines([words] if words else [])
    if outcome == "failed":
        ended.stdout.fnmatch_lines(["E*---*---", "E*as found: */reedbackup-sweeps/*"])


AFTERWARDS = """
import os
from pathlib import Path

def test_fails_within(reedbackup_fake_db):
    with reedbackup_fake_db(free=0) as base:
        (base / "x").write_text("more than there is room for")

def test_real_files_are_back(tmp_path):
    (tmp_path / "x").write_text("real")
    assert Path(os.path.realpath(__file__)).is_file()
    assert not Path("/reedbackup-disk").exists()

def test_its_types(reedbackup_fake_db, reedbackup_db):
    with reedbackup_fake_db(free=100, database=reedbackup_db / "tables") as base:
        assert (base / "text").is_dir()
        reedbackup_fake_db.make_room(1000)
        (base / "x").write_bytes(bytes(1000))

def test_a_backup_on_it(reedbackup, reedbackup_fake_db):
    with reedbackup_fake_db(free=1 << 20) as base:
        made = reedbackup.created(base)
        assert reedbackup.listed(base) == [made]
"""


def test_real_files_are_back_after_a_test_that_fails_on_a_full_disk(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_theirs=AFTERWARDS)
    ended = pytester.runpytest_subprocess("-q", "-W", "error", "-p", "no:randomly")
    ended.assert_outcomes(passed=3, failed=1)
    ended.stdout.fnmatch_lines(["E*OSError*No space left on device*"])


FIRST_LINES = {
    "reedbackup_power_cut": "Pulls the plug on what changes a database: ",
    "reedbackup_failing_calls": "Has system calls fail under what changes a database",
    "reedbackup_fake_db": "A disk in memory with so much room: ",
}


def test_the_fixtures_say_what_they_are(pytester: pytest.Pytester) -> None:
    ended = pytester.runpytest_subprocess("--fixtures", "-q")
    ended.stdout.fnmatch_lines(
        ["reedbackup_fake_db -- *", "    A disk in memory with so much room*"]
    )
