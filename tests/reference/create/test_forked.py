"""What a forked process shares of a backup is a help and no more (`archive/forked`).

Each backup is made by a program of its own: those that run the tests may have threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from fixture_types import MakeBase
from reference.create.reuse import archive_of, members

from reedbase_backup import create_backup, list_backups
from reedbase_backup.archive.forked import SWITCH
from reedbase_backup.verify import verify

FILES = 120

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is forked")

_PROGRAM = """
import fcntl, json, os, signal, sys, threading, time
from reedbase_backup.archive import forked, packed, writer
from reedbase_backup.archive.reuse import runs
from reedbase_backup.create import create_backup_at

os.sched_getaffinity = lambda pid: {{0, 1}}
writer._MANY, runs._MOST_FILES, runs._ENDS = 100, 4, 3
main, children, fork, pack = os.getpid(), [], os.fork, packed.pack

def narrow(pipe=os.pipe):
    ends = pipe()
    fcntl.fcntl(ends[1], fcntl.F_SETPIPE_SZ, 4096)
    return ends

def counted():
    process = fork()
    if process:
        children.append(process)
        print(process, file=sys.stderr, flush=True)
    return process

def here(part):
    '''What is done to each part in this process.'''

def there(part):
    '''What is done to it in the other.'''

def packing(files, part, *others):
    with open("who", "a") as who:
        who.write(f"{{os.getpid()}}\\n")
    time.sleep(0.002)  # so that the other has its turn
    (here if os.getpid() == main else there)(part)
    return pack(files, part, *others)

os.fork, os.pipe, writer.pack = counted, narrow, packing
{code}
made = create_backup_at(sys.argv[1], 1_700_000_000 * 10**9)
try:
    left = os.waitpid(-1, os.WNOHANG)
except ChildProcessError:
    left = None
print(json.dumps([children, left, sorted(map(int, os.listdir("/proc/self/fd")))]))
"""


class Backup:
    """What came of a program that makes a backup."""

    def __init__(self, base: Path, code: str, folder: Path) -> None:
        command = [sys.executable, "-c", _PROGRAM.format(code=code), os.fspath(base)]
        self.ran = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)
        who = folder / "who"
        self.worked = {*map(int, who.read_text().split())} if who.exists() else set()
        """The processes that have packed something."""
        who.unlink(missing_ok=True)

    @property
    def said(self) -> list[Any]:
        assert self.ran.returncode == 0, self.ran.stderr
        said: list[Any] = json.loads(self.ran.stdout)
        return said

    @property
    def children(self) -> list[int]:
        children, left, _ = self.said
        assert left is None
        return [int(child) for child in children]


@pytest.fixture
def base(make_base: MakeBase) -> Path:
    base = make_base("t")
    for number in range(FILES):
        (base / "tables" / "t" / f"{number:03}.bsdiff").write_bytes(os.urandom(number % 90 * 8))
    (base / "tables" / "t" / "077.large").write_bytes(bytes(range(256)) * 300)
    return base


def made(base: Path, code: str = "") -> Backup:
    return Backup(base, code, base.parent)


def assert_whole(base: Path) -> None:
    """Hold the one backup there is against one that this process makes alone."""
    [info] = list_backups(base)
    assert [one.damage for one in verify(base)] == [None]
    shared = members(archive_of(base, info))
    archive_of(base, info).unlink()
    assert members(archive_of(base, create_backup(base))) == shared


def is_gone(process: int) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True  # whoever has taken it over does not wait for it
        time.sleep(0.02)
    return False


def test_two_processes_make_the_backup_that_one_makes(base: Path) -> None:
    backup = made(base)
    assert len(backup.children) == 1
    assert len(backup.worked) == 2
    assert_whole(base)


def test_nothing_is_left_of_it(base: Path) -> None:
    descriptors = made(base).said[2]
    archive_of(base, list_backups(base)[0]).unlink()
    assert made(base, "os.environ['REEDBACKUP_FORK'] = '0'").said[2] == descriptors


def test_of_very_many_files_a_process_shares_as_many_as_it_can_count(base: Path) -> None:
    backup = made(base, "forked.MOST_TURNS = 7")
    assert len(backup.children) > 2
    assert len(backup.worked) > 2
    assert_whole(base)


_HALF = """
write = os.write
def half(descriptor, data):
    if os.getpid() != main:
        write(descriptor, data[: len(data) // 2])
        END
    return write(descriptor, data)
os.write = half
"""
WRONG = {
    "it meets an error": "def there(part): raise MemoryError",
    "it is killed": "def there(part): os.kill(os.getpid(), signal.SIGKILL)",
    "it ends in the midst of what it says": _HALF.replace("END", "os._exit(0)"),
    "it is stopped": """
forked._PATIENCE_MS = 300
def there(part): os.kill(os.getpid(), signal.SIGSTOP)
""",
    "it is stopped in the midst of what it says": "forked._PATIENCE_MS = 300"
    + _HALF.replace("END", "os.kill(os.getpid(), signal.SIGSTOP)"),
    "it is slow": "def there(part): time.sleep(0.4)",
}


@pytest.mark.parametrize("code", WRONG.values(), ids=WRONG)
def test_what_the_other_process_does_not_do_is_done_here(base: Path, code: str) -> None:
    [child] = made(base, code).children
    assert is_gone(child)
    assert_whole(base)


def test_no_more_waits_for_a_slow_one_than_memory_has_room_for(base: Path) -> None:
    code = """
forked._MOST_AHEAD = 3
def there(part):
    if not os.path.exists("ahead"):
        time.sleep(0.3)
        open("ahead", "w").write(open("who").read())
"""
    backup = made(base, code)
    _, _, ahead = (base.parent / "ahead").read_text().partition(str(backup.children[0]))
    assert 1 <= len(ahead.split()) <= 1 + 3
    assert len(backup.worked) == 2
    assert_whole(base)


ALONE = {
    "switched off": "os.environ['REEDBACKUP_FORK'] = '0'",
    "one processor": "os.sched_getaffinity = lambda pid: {0}",
    "another thread": "threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "a thread Python knows nothing of": """
import ctypes
libc, thread, forever = ctypes.CDLL(None), ctypes.c_ulong(), ctypes.c_int(60)
libc.pthread_create(ctypes.byref(thread), None, libc.sleep, 60)
""",
    "who waits for every child": "signal.signal(signal.SIGCHLD, lambda *_: None)",
    "large memory": "forked._MOST_RESIDENT = 1 << 20",
    "few files": "writer._MANY = 200",
    "no such file as /proc/self/stat": """
import builtins
opened = open
def no_proc(path, *args, **options):
    if str(path).startswith("/proc"):
        raise FileNotFoundError(path)
    return opened(path, *args, **options)
builtins.open = no_proc
""",
    "no more processes": """
def refused(): raise BlockingIOError(11, "Resource temporarily unavailable")
os.fork = refused
""",
    "no more open files": """
pipes = []
def scarce():
    if pipes:
        raise OSError(24, "Too many open files")
    pipes.append(narrow())
    return pipes[0]
os.pipe = scarce
""",
    "an interpreter that may not": """
def refused(): raise RuntimeError("fork not supported for isolated subinterpreters")
os.fork = refused
""",
}


@pytest.mark.parametrize("code", ALONE.values(), ids=ALONE)
def test_nothing_is_forked_where_it_may_do_harm_or_no_good(base: Path, code: str) -> None:
    backup = made(base, code + "\n")
    assert backup.children == []
    assert backup.said[2] == [0, 1, 2, 3]  # the last is of the folder that tells it
    assert_whole(base)


def test_threads_of_a_large_file_before_are_ended_first(base: Path) -> None:
    (base / "tables" / "t" / "000.large").write_bytes(os.urandom(1 << 21))
    (base / "tables" / "a").mkdir()
    (base / "tables" / "a" / "current.csv").write_bytes(os.urandom(1 << 21))
    # The kernel may see them for a moment longer.
    patient = """
harmless = forked._is_harmless
def soon():
    assert threading.active_count() == 1
    time.sleep(0.1)
    return harmless()
forked._is_harmless = soon
"""
    assert len(made(base, patient).children) == 1
    assert_whole(base)


def test_signals_are_this_process_s_alone(base: Path) -> None:
    code = """
os.setpgrp()
told = []
signal.signal(signal.SIGUSR1, lambda *_: open("told", "a").write(f"{os.getpid()}\\n"))
def here(part):
    if children and not told:
        told.append(os.killpg(0, signal.SIGUSR1))
        open("main", "w").write(str(main))
"""
    backup = made(base, code)
    assert len(backup.worked) == 2
    assert (base.parent / "told").read_text().split() == [(base.parent / "main").read_text()]
    assert_whole(base)


@pytest.mark.parametrize("end", ["os.kill(main, signal.SIGKILL)", "raise KeyboardInterrupt"])
def test_where_this_process_ends_so_does_the_other_and_nothing_stays_locked(
    base: Path, end: str
) -> None:
    assert (base / "tables" / "t" / ".lock").exists()
    backup = made(base, f"def here(part):\n    if part[0] > '060': {end}")
    assert backup.ran.returncode not in (0, 1)
    assert is_gone(int(backup.ran.stderr.split()[0]))
    assert list_backups(base) == []
    started = time.monotonic()
    create_backup(base)
    assert time.monotonic() - started < 5
    assert [one.damage for one in verify(base)] == [None]


def test_who_interrupts_the_very_fork_leaves_no_other_process(base: Path) -> None:
    code = """
def interrupted():
    process = counted()
    if process and len(children) == 1:
        os.kill(main, signal.SIGINT)
    return process

create = create_backup_at
def create_backup_at(*args):
    try:
        create(*args)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return create(*args)

os.fork = interrupted
"""
    backup = made(base, code)
    assert "interrupted" in backup.ran.stderr
    assert len(backup.children) == 2
    assert backup.said[2] == [0, 1, 2, 3]
    assert_whole(base)


def test_what_changes_after_the_other_has_read_it_is_read_again(base: Path) -> None:
    code = """
def changing(files, part, *others):
    result = packing(files, part, *others)
    if os.getpid() != main and not os.path.exists("changed"):
        open("changed", "w").write(part[0])
        time.sleep(0.02)
        open(f"{sys.argv[1]}/tables/t/{part[0]}", "w").write("something else")
    return result
writer.pack = changing
"""
    (base / "tables" / "t" / ".lock").unlink(missing_ok=True)
    backup = made(base, code)
    changed = (base.parent / "changed").read_text()
    assert len(backup.children) == 2
    assert (base / "tables" / "t" / changed).read_text() == "something else"
    assert_whole(base)


@pytest.mark.parametrize(("closed", "mode"), [(False, 0o640), (True, 0o600)])
def test_a_file_closed_to_the_group_closes_the_backup_whoever_read_it(
    base: Path, closed: bool, mode: int
) -> None:
    for path in (base, *base.rglob("*")):
        path.chmod(0o2770 if path.is_dir() else 0o660)
    (base / "tables" / "t" / "077.large").unlink()  # which is of a part that nobody packs
    for number in range(FILES) if closed else ():
        # One in each part at least is the other's for sure.
        (base / "tables" / "t" / f"{number:03}.bsdiff").chmod(0o660 if number % 4 else 0o600)
    assert len(made(base).worked) == 2
    [info] = list_backups(base)
    assert archive_of(base, info).stat().st_mode & 0o777 == mode


def test_the_switch_is_the_one_the_documents_name() -> None:
    assert SWITCH == "REEDBACKUP_FORK"
