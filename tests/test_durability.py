"""Kills, failing disks and power cuts: all old or all new, and never success too early.

A real child process runs under strace, which makes its n-th system call of a kind
fail or its last, for every n.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from reedbase_backup import create_backup, list_backups, restore_point_in_time
from reedbase_backup.archive import ArchiveReader

_CHILD = """
import sys
from reedbase_backup import ReedError, create_backup, restore_point_in_time
call, base = sys.argv[1:]
try:
    create_backup(base) if call == "create" else restore_point_in_time(base, 2**64 - 1)
except ReedError as error:
    sys.exit(f"{error.kind}: {error}")
"""

# What can change a disk. A `?` lets strace pass over names that this machine lacks.
_CALLS = (
    "?write,?pwrite64,?ftruncate,?fsync,?syncfs,?link,?linkat,?rename,?renameat,?renameat2,"
    "?unlink,?unlinkat,?rmdir,?mkdir,?mkdirat,?fchmod,?chmod,?fchmodat,?utimensat"
)
# What only looks, and can fail all the same: by their names on different machines.
_LOOKS = {
    "close": "close",
    "stat": "?stat,?newfstatat,?fstat,?statx",
    "open": "?open,?openat",
    "read": "?read,?pread64,?lseek,?getdents64,?fstatfs,?flock",
}
# How a restore's working folder is renamed when its journal counts, and counts no more.
_COMMITTED = r'"\.reedbackup-staging-.*"\.reedbackup-commit-'
_DONE = r'"\.reedbackup-commit-.*"\.reedbackup-staging-'
_LINE = re.compile(r"^(?:\d+ +)?(\w+)\((.*?)(?:\) += (-?)\d.*)?$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """What a child did to a base: its end, and its system calls in order."""

    status: int
    stderr: str
    calls: list[tuple[str, str]]
    """Those on the base that succeeded: name and arguments."""
    points: list[tuple[str, int]]
    """Of each of `calls` its name, and how many of that name the process had made by then."""

    def at(self, name: str, *parts: str) -> int:
        """The place in `calls` of the one call `name` in which all the patterns `parts` are."""
        places = [
            place
            for place, (called, arguments) in enumerate(self.calls)
            if called.startswith(name) and all(re.search(part, arguments) for part in parts)
        ]
        assert len(places) == 1, (name, parts, self.calls)
        return places[0]


@pytest.fixture(scope="session")
def strace(tool) -> str:
    path: str = tool("strace")
    tried = subprocess.run([path, "-f", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        if os.environ.get("REEDBACKUP_REQUIRE_TOOLS") == "1":
            pytest.fail(f"strace does not work here: {tried.stderr}")
        pytest.skip(f"strace does not work here: {tried.stderr}")
    return path


@pytest.fixture(scope="session")
def run_traced(strace) -> Callable[..., Run]:
    def run(call: str, base: Path, inject: str | None = None, calls: str = _CALLS) -> Run:
        log = base.with_name(base.name + ".strace")
        injection = ["-e", f"inject={inject}"] if inject else []
        traced = [strace, "-f", "-y", "-e", f"trace={calls}", "-o", log]
        child = [sys.executable, "-B", "-c", _CHILD, call, base]
        done = subprocess.run([*traced, *injection, *child], capture_output=True, text=True)
        made, points, seen = [], [], Counter[str]()
        for name, arguments, failed in _LINE.findall(log.read_text()):
            seen[name] += 1
            if str(base) in arguments and not failed:
                made.append((name, arguments))
                points.append((name, seen[name]))
        log.unlink()
        return Run(done.returncode, done.stderr, made, points)

    return run


@pytest.fixture
def small(make_base) -> Path:
    """A database of few files, and so of few system calls, with an old backup and a change."""
    base: Path = make_base("t", rows=1)
    (base / "tables" / "t" / "1700000000000000000.bsdiff").unlink()
    create_backup(base)
    (base / "backups" / os.listdir(base / "backups")[0]).rename(base / "backups" / "1000.tar.gz")
    (base / "tables" / "t" / "current.csv").write_text("changed since")
    (base / "tables" / "t" / "version.log").unlink()
    (base / "tables" / "new").mkdir()
    return base


@pytest.fixture
def restored(small, clone, database, run_traced):
    """The trees before and after an undisturbed restore of `small`, and the run."""
    base = clone(small, "undisturbed")
    run = run_traced("restore", base)
    assert run.status == 0
    return database(small), database(base), run


def each(points, clone, small, check) -> None:
    """Runs `check(copy of small, name, n)` for each point, two at a time."""

    def one(point: tuple[str, int]) -> None:
        name, n = point
        copy = clone(small, f"{name}-{n}")
        check(copy, name, n)
        shutil.rmtree(copy)

    with ThreadPoolExecutor(2) as pool:
        for _ in pool.map(one, points):
            pass


def assert_sound(base: Path) -> None:
    for info in list_backups(base):
        with (base / "backups" / f"{info.id}.tar.gz").open("rb") as file:
            ArchiveReader(file, info.id).read_through()


def leftovers(base: Path) -> list[str]:
    return [str(path) for path in base.rglob(".reedbackup*")]


def assert_failed_cleanly(run: Run) -> None:
    assert run.status == 1, run
    assert re.match(r"(IoError|PermissionDenied): [^\n]+\n$", run.stderr), run.stderr


@pytest.fixture(scope="session")
def kill(run_traced) -> Callable[..., None]:
    """Runs a call that is killed as it enters its n-th system call of a name."""

    def run(call: str, base: Path, name: str, n: int) -> None:
        killed = run_traced(call, base, f"{name}:signal=SIGKILL:when={n}")
        assert killed.status == -9, (name, n, killed)

    return run


# Killed -----------------------------------------------------------------------


def test_a_create_killed_at_any_call_leaves_old_backups_and_the_next_create_cleans_up(
    small, clone, database, run_traced, kill
):
    before = database(small)
    run = run_traced("create", clone(small, "undisturbed"))
    assert run.status == 0

    def check(base: Path, name: str, n: int) -> None:
        kill("create", base, name, n)
        assert len(list_backups(base)) in (1, 2)
        assert_sound(base)
        create_backup(base)
        assert leftovers(base) == [], (name, n)
        assert database(base) == before
        assert_sound(base)

    each(run.points, clone, small, check)


def test_a_create_killed_while_it_prunes_loses_no_backup_that_is_to_stay(
    small, clone, run_traced, kill
):
    backups = small / "backups"
    for second in range(1001, 1034):
        shutil.copy(backups / "1000.tar.gz", backups / f"{second}.tar.gz")
    old = [info.id for info in list_backups(small)]
    run = run_traced("create", clone(small, "undisturbed"))
    first = run.at("link", "partial")

    def check(base: Path, name: str, n: int) -> None:
        kill("create", base, name, n)
        kept = [info.id for info in list_backups(base)]
        assert set(old[:31]) <= set(kept), (name, n)
        create_backup(base)
        assert len(list_backups(base)) == 32, (name, n)
        assert leftovers(base) == []

    each(run.points[first:], clone, small, check)


def test_a_restore_killed_at_any_call_is_all_old_or_all_new_by_the_next_call(
    small, clone, restored, database, kill
):
    old, new, run = restored
    ends: Counter[str] = Counter()

    def check(base: Path, name: str, n: int) -> None:
        kill("restore", base, name, n)
        repeated = clone(base, f"{base.name} repeated")
        create_backup(base)
        assert database(base) in (old, new), (name, n)
        assert leftovers(base) == [], (name, n)
        ends["old" if database(base) == old else "new"] += 1

        restore_point_in_time(repeated, 1000)
        assert database(repeated) == new, (name, n)
        assert leftovers(repeated) == [], (name, n)

    each(run.points, clone, small, check)
    assert min(ends["old"], ends["new"]) > 5


def test_a_recovery_that_is_killed_itself_is_finished_by_the_next_call(
    small, clone, restored, database, run_traced, kill
):
    _, new, run = restored
    name, n = run.points[run.at("rename", '"tables"', "/old>")]
    half = clone(small, "half")
    kill("restore", half, name, n)
    recovery = run_traced("create", clone(half, "recovered"))
    points = recovery.points[: recovery.at("rename", _DONE)]

    def check(base: Path, name: str, n: int) -> None:
        kill("create", base, name, n)
        create_backup(base)
        assert database(base) == new, (name, n)
        assert leftovers(base) == []

    each(points, clone, half, check)


# Failing calls ----------------------------------------------------------------

_ERRORS = {"write": "ENOSPC", "mkdir": "ENOSPC", "mkdirat": "ENOSPC", "link": "ENOSPC"}


def test_a_create_whose_calls_fail_is_an_error_and_leaves_nothing(
    small, clone, database, run_traced
):
    before = database(small)
    run = run_traced("create", clone(small, "undisturbed"))

    def check(base: Path, name: str, n: int) -> None:
        failed = run_traced("create", base, f"{name}:error={_ERRORS.get(name, 'EIO')}:when={n}")
        assert_failed_cleanly(failed)
        assert [info.id for info in list_backups(base)] == ["1000"], (name, n)
        assert database(base) == before
        create_backup(base)
        assert leftovers(base) == []

    each(run.points, clone, small, check)


def test_a_restore_whose_calls_fail_is_an_error_and_the_old_trees_stay(
    small, clone, restored, database, run_traced
):
    old, new, run = restored
    done = run.at("rename", _DONE)

    def check(base: Path, name: str, n: int) -> None:
        failed = run_traced("restore", base, f"{name}:error={_ERRORS.get(name, 'EIO')}:when={n}")
        if failed.status == 0:
            # The new trees are in place for good: what is not removed now, is later.
            assert run.points.index((name, n)) > done
            assert database(base) == new, (name, n)
        else:
            assert_failed_cleanly(failed)
            assert database(base) == old, (name, n)
        create_backup(base)
        assert database(base) == (new if failed.status == 0 else old), (name, n)
        assert leftovers(base) == []

    each(run.points, clone, small, check)


@pytest.mark.parametrize("call", ["create", "restore"])
@pytest.mark.parametrize(
    "looks",
    ["close"]
    + [pytest.param(name, marks=pytest.mark.campaign) for name in ("stat", "open", "read")],
)
def test_a_call_that_cannot_look_has_not_happened_or_has_succeeded(
    small, clone, restored, database, run_traced, call, looks
):
    """No answer is never taken for a no: all old after an error, all new after success."""
    old, new, _ = restored
    calls = _LOOKS[looks]

    def check(base: Path, name: str, n: int) -> None:
        done = run_traced(call, base, f"{name}:error=EIO:when={n}", calls)
        if done.status != 0:
            assert_failed_cleanly(done)
        made = {info.id for info in list_backups(base)} - {"1000"}
        assert len(made) == (call == "create" and done.status == 0), (name, n, done)
        expected = new if call == "restore" and done.status == 0 else old
        assert database(base) == expected, (name, n, done)
        create_backup(base)
        assert database(base) == expected
        assert leftovers(base) == []

    undisturbed = run_traced(call, clone(small, "undisturbed too"), None, calls)
    each(undisturbed.points, clone, small, check)


def test_a_prune_that_fails_midway_deletes_nothing(small, run_traced):
    backups = small / "backups"
    for second in range(1001, 1036):
        shutil.copy(backups / "1000.tar.gz", backups / f"{second}.tar.gz")
    old = set(os.listdir(backups))
    assert_failed_cleanly(run_traced("create", small, "rename:error=EIO:when=3"))
    assert set(os.listdir(backups)) == old


@pytest.mark.parametrize("call", ["create", "restore"])
@pytest.mark.parametrize(
    "name",
    ["fsync", "rename"]
    + [pytest.param(name, marks=pytest.mark.campaign) for name in ("write", "link", "unlinkat")],
)
def test_a_call_that_fails_from_some_time_on_ends_all_old_or_all_new(
    small, clone, restored, database, run_traced, call, name
):
    """A disk that does not come back, so that nothing can be undone either."""
    old, new, restore = restored
    run = restore if call == "restore" else run_traced(call, clone(small, "undisturbed too"))

    def check(base: Path, name: str, n: int) -> None:
        failed = run_traced(call, base, f"{name}:error=EIO:when={n}+")
        if failed.status != 0 and name != "write":  # which the message needs too
            assert_failed_cleanly(failed)
        assert_sound(base)
        create_backup(base)
        assert database(base) in ((old, new) if call == "restore" else (old,)), (name, n)
        assert leftovers(base) == []

    each([point for point in run.points if point[0] == name], clone, small, check)


# Power cuts: what is reported or relied upon was synced before -------------------


def test_an_archive_is_on_disk_before_it_has_its_name_and_its_name_before_success(
    small, run_traced
):
    run = run_traced("create", small)
    content = run.at("fsync", "/backups/.reedbackup-partial")
    written = max(i for i, call in enumerate(run.calls) if call[0] == "write")
    name = run.at("link", "/backups/.reedbackup-partial")
    folder = run.at("fsync", "/backups>")
    assert written < content < name < folder


def test_a_backup_is_on_disk_before_an_older_one_is_pruned(small, run_traced):
    backups = small / "backups"
    for second in range(1001, 1032):
        shutil.copy(backups / "1000.tar.gz", backups / f"{second}.tar.gz")
    run = run_traced("create", small)
    assert run.at("fsync", "/backups>") < run.at("rename", "/1000.tar.gz")


def test_the_folder_of_the_first_backup_is_on_disk_too(small, run_traced):
    shutil.rmtree(small / "backups")
    run = run_traced("create", small)
    assert run.at("mkdir", "/backups") < run.at("fsync", f"{small}>") < run.at("link")


def test_new_trees_are_on_disk_before_the_old_ones_are_touched(small, run_traced):
    expected = {"tables", "tables/t", "tables/t/current.csv", "tables/t/version.log"}
    expected |= {"tables/t/.lock", "indices", "indices/metadata.json", ""}
    run = run_traced("restore", small)

    committed = run.at("rename", _COMMITTED)
    synced = {
        arguments.partition("/new")[2].strip("/>")
        for name, arguments in run.calls[:committed]
        if name == "fsync" and "/new" in arguments
    }
    assert synced == expected
    journal = run.at("rename", '"journal.new"', '"journal"')
    written = run.at("fsync", "/journal.new>")
    folders = [place for place, call in enumerate(run.calls) if is_sync(call, "staging-[^/]*>$")]
    assert written < journal < folders[-1] < committed
    base_synced = [place for place, call in enumerate(run.calls) if is_sync(call, f"{small}>$")]
    assert committed < base_synced[0] < run.at("rename", '"tables"', "/old>")
    installed = run.at("rename", "/new>", '"indices"$')
    done = run.at("rename", _DONE)
    removed = min(i for i, call in enumerate(run.calls) if call[0] in ("unlinkat", "rmdir"))
    assert installed < base_synced[1] < done < base_synced[2] < removed
    for part in ("new", "old"):
        moved = [i for i, call in enumerate(run.calls) if is_sync(call, f"commit-[^/]*/{part}>$")]
        assert installed < moved[-1] < done


def is_sync(call: tuple[str, str], what: str) -> bool:
    return call[0] == "fsync" and re.search(what, call[1]) is not None


def test_many_new_files_are_synced_at_once_before_the_old_ones_are_touched(small, run_traced):
    for n in range(100):
        (small / "tables" / "t" / f"{n}.bsdiff").write_text(str(n))
    create_backup(small)
    run = run_traced("restore", small)
    journal = run.at("rename", '"journal.new"', '"journal"')
    written = max(i for i, call in enumerate(run.calls[: journal - 2]) if call[0] == "write")
    # A table's lock is timed later, when it is linked.
    timed = run.at("utimensat", "/99.bsdiff")
    synced = run.at("syncfs")
    assert max(written, timed) < synced < run.at("rename", _COMMITTED)
