"""Faults for users' own tests: the plug pulled on programs and functions, and calls that fail."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import FindTool

from pytest_reedbackup.injection.power import disks
from pytest_reedbackup.injection.power.disks import FileSystem, why_not
from pytest_reedbackup.injection.programs.faults import FailingCalls, PowerCut
from pytest_reedbackup.reports.strip import account

TABLE = "tables/text/current.csv"
OLD, NEW = "key|value\n", "key|value\na|b\n"


def old_or_new(base: Path) -> None:
    assert (base / TABLE).read_text() in (OLD, NEW)


def new(base: Path) -> None:
    assert (base / TABLE).read_text() == NEW


def beside(base: Path) -> Path:
    return base / f"{TABLE}.new"


def replaced(base: Path) -> None:
    """Change the table durably: the content, then the name, then the folder."""
    with beside(base).open("w") as file:
        file.write(NEW)
        file.flush()
        os.fsync(file.fileno())
    beside(base).replace(base / TABLE)
    folder = os.open((base / TABLE).parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def never_synced(base: Path) -> None:
    beside(base).write_text(NEW)
    beside(base).replace(base / TABLE)


def in_place(base: Path) -> None:
    (base / TABLE).write_text(NEW)


def with_an_error_swallowed(base: Path) -> None:
    try:
        replaced(base)
    except OSError:
        print("never mind")


@pytest.fixture
def database(tmp_path: Path, tool: FindTool) -> Path:
    """A database of one table; skips where nothing can be traced."""
    tool("strace")
    base = tmp_path / ".reed"
    (base / TABLE).parent.mkdir(parents=True)
    (base / TABLE).write_text(OLD)
    return base


@pytest.fixture
def power_cut(tmp_path: Path) -> PowerCut:
    return PowerCut(tmp_path / "kept", lambda sweep: account(sweep, 100))


@pytest.fixture
def failing_calls(tmp_path: Path) -> FailingCalls:
    return FailingCalls(tmp_path / "kept", lambda sweep: account(sweep, 100))


@pytest.fixture
def power(database: Path) -> Path:
    """The same; skips where no power can be cut."""
    if os.geteuid():
        pytest.skip("only root may mount a file system")
    if reason := why_not(FileSystem.EXT4):
        pytest.fail(reason)
    return database


@pytest.mark.slow
def test_who_syncs_survives_at_every_call_and_no_disk_stays_mounted(
    power: Path, power_cut: PowerCut, tmp_path: Path
) -> None:
    places = set()

    def check(base: Path) -> None:
        assert os.path.ismount(base.parent)
        places.add(base.parent)
        old_or_new(base)

    # The answer, openat, write, fsync, rename, fsync.
    assert power_cut(power, replaced, check, after_success=new) == 6
    (place,) = places
    assert not place.exists()
    assert not (tmp_path / "kept").exists() or not list((tmp_path / "kept").iterdir())
    assert (power / TABLE).read_text() == OLD


@pytest.mark.slow
@pytest.mark.parametrize("change", [never_synced, in_place])
def test_who_does_not_sync_is_seen_with_the_calls_around_it_and_the_folder(
    power: Path, power_cut: PowerCut, change: Callable[[Path], None]
) -> None:
    with pytest.raises(AssertionError, match="power cut") as seen:
        power_cut(power, change, old_or_new)
    lines = str(seen.value).splitlines()
    assert any("write(" in line and TABLE in line for line in lines)
    (kept,) = (line.partition("as found: ")[2] for line in lines if "as found: " in line)
    assert (Path(kept) / TABLE).read_text() == ""
    (point,) = (line.partition("only=")[2] for line in lines if "only=" in line)
    with pytest.raises(AssertionError, match=r"1 of \d points visited"):
        power_cut(power, change, old_or_new, only=[point.strip("[]'")])


@pytest.mark.slow
def test_a_mere_kill_loses_nothing_that_was_not_synced(database: Path, power_cut: PowerCut) -> None:
    assert power_cut(database, never_synced, old_or_new, after_success=new, kill_only=True) == 4
    with pytest.raises(AssertionError, match=r"write#1 \(.*\): the database after it"):
        power_cut(database, in_place, old_or_new, kill_only=True)
    assert power_cut(database, in_place, old_or_new, kill_only=True, most=1) == 1


def test_a_command_is_swept_as_a_function_is(database: Path, power_cut: PowerCut) -> None:
    code = "import sys; open(sys.argv[1], 'w').write('key|value\\na|b\\n')"
    command = [sys.executable, "-S", "-E", "-c", code, f"{{base}}/{TABLE}"]
    with pytest.raises(AssertionError, match=r"write#\d+ \(.*\): the database after it"):
        power_cut(database, command, old_or_new, kill_only=True)


def test_a_child_that_is_killed_while_its_parent_goes_on_is_no_power_cut(
    database: Path, power_cut: PowerCut
) -> None:
    script = f"printf 'key|value\\na|b\\n' | tee {TABLE}.new >/dev/null; mv {TABLE}.new {TABLE}"
    command = ["sh", "-c", f'cd "$1"; {script}', "sh", "{base}"]
    # What the shell itself does is a point; what tee and mv do is not.
    assert power_cut(database, command, old_or_new, after_success=new, kill_only=True) <= 2


FAILS = {
    "exit status 3: it says so": ["sh", "-c", "echo it says so; exit 3"],
    "exec: ./nothing: not found": ["./nothing", "{base}"],
    "ended by signal 15": ["sh", "-c", "kill $$"],
    "ValueError: of its own": None,
}


def _raising(base: Path) -> None:
    raise ValueError("of its own")


@pytest.mark.parametrize("words", FAILS)
def test_a_change_that_fails_by_itself_is_told_with_what_it_said(
    database: Path, power_cut: PowerCut, words: str
) -> None:
    with pytest.raises(AssertionError, match="the change fails undisturbed") as failed:
        power_cut(database, FAILS[words] or _raising, print, kill_only=True)
    assert words in str(failed.value)


def test_a_change_that_hangs_is_ended(database: Path, power_cut: PowerCut, tmp_path: Path) -> None:
    def hanging(base: Path) -> None:
        (tmp_path / "pid").write_text(str(os.getpid()))
        time.sleep(100)

    with pytest.raises(AssertionError, match=r"it still ran after 0\.3 s"):
        power_cut(database, hanging, print, kill_only=True, secs=0.3)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGCONT)


@pytest.mark.slow
def test_who_fails_as_its_calls_do_is_not_accused_and_who_swallows_that_is(
    database: Path, failing_calls: FailingCalls
) -> None:
    assert failing_calls(database, replaced, old_or_new, after_success=new) == 20
    with pytest.raises(AssertionError, match="the database after its success"):
        failing_calls(database, with_an_error_swallowed, old_or_new, after_success=new)
    assert failing_calls(database, replaced, old_or_new, errors=["EIO"], most=3) == 3


def test_what_an_error_leaves_is_checked_too(database: Path, failing_calls: FailingCalls) -> None:
    with pytest.raises(AssertionError, match=r"write#1\+? E\w+ \(.*\): the database after it"):
        failing_calls(database, in_place, old_or_new, errors=["ENOSPC"])


def test_where_no_power_can_be_cut_the_test_is_skipped_with_the_reason(
    database: Path, power_cut: PowerCut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disks, "why_not", lambda kind: "mount fails here")
    with pytest.raises(pytest.skip.Exception, match="needs power cuts: mount fails here"):
        power_cut(database, replaced, print)


def test_without_strace_the_test_is_skipped_with_the_reason(
    database: Path, power_cut: PowerCut, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda *args, **kwargs: None)
    with pytest.raises(pytest.skip.Exception, match="needs strace: it is not installed"):
        power_cut(database, replaced, print, kill_only=True)
