"""Small databases, and what the tests of the reference implementation share."""

from __future__ import annotations

import fcntl
import gc
import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from fixture_types import (
    BackupAt,
    CopyBase,
    FindTool,
    MakeBase,
    Once,
    ReadDatabase,
    RunAsNobody,
    RunSuite,
    TakeSnapshot,
    Tree,
)
from hypothesis import HealthCheck, settings

from pytest_reedbackup.reports import json_report
from reedbase_backup.create import create_backup_at

_INIT_NS = 1_700_000_000_000_000_000

OVERDUE_S = 10
"""What a test without marker `slow` may take on a busy machine; 2 s on an idle one."""


# On a machine that stands still for a while, a test is no slower, nor are data drawn slowly.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")

# What runs print is wrapped to their terminal; tests of that say another width.
os.environ["COLUMNS"] = "240"

# Each run of pytest rewrites the assertions of all plugins, 159 modules of ours among them. Where
# it may not keep what it has compiled, that takes 1.2 s of processor time, more than all else.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False


def pytest_itemcollected(item: pytest.Item) -> None:
    """Mark campaigns as slow: a `-m "not slow"` replaces the `-m` that leaves them out."""
    if item.get_closest_marker("campaign") is not None:
        item.add_marker("slow")


def pytest_collection_finish() -> None:
    """Spare the garbage collector thousands of tests, none of which goes before the end.

    Whoever collects garbage, as tests of what stays open do, looked at them for a second each time.
    """
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what ought to be marked as slow. It fails nothing: that would depend on the machine."""
    reports = [report for kind in terminalreporter.stats.values() for report in kind]
    for report in reports:
        is_timed = isinstance(report, pytest.TestReport) and "slow" not in report.keywords
        if is_timed and report.duration > OVERDUE_S:
            line = f"to be marked slow: {report.nodeid} ({report.when}: {report.duration:.1f} s)"
            terminalreporter.write_line(line)


def _write_table(folder: Path, rows: int) -> None:
    """One table with one version, laid out as contract `last`, "On disk", says."""
    folder.mkdir(parents=True)
    content = "key|value\n" + "".join(f"{folder.name}.{row}|row {row}\n" for row in range(rows))
    (folder / "current.csv").write_text(content)
    (folder / f"{_INIT_NS}.bsdiff").write_text(content)
    (folder / "version.log").write_text(f"{_INIT_NS}|5|1|{len(content)}\n")
    (folder / ".lock").touch()


@pytest.fixture
def make_base(tmp_path: Path) -> MakeBase:
    """Makes a `.reed` database with the tables named, of `rows` rows each."""

    def make(*tables: str, rows: int = 3, name: str = ".reed") -> Path:
        base = tmp_path / name
        (base / "tables").mkdir(parents=True)
        for table in tables:
            _write_table(base / "tables" / table, rows)
        (base / "indices").mkdir()
        (base / "indices" / "metadata.json").write_text("[]\n")
        (base / "registry").mkdir()
        (base / "registry" / "actions.dict").write_text("code|name|description\n5|init|\n")
        return base

    return make


@pytest.fixture
def base(make_base: MakeBase) -> Path:
    """Two tables and, among them, what a careless backup loses."""
    base = make_base("routes", "text")
    text = base / "tables" / "text"
    (text / "empty").mkdir(mode=0o750)
    (text / "empty.csv").touch()
    (text / "Größe 日本.csv").write_bytes(b"caf\xc3\xa9\r\n\x00\xff")
    (text / "current.csv").chmod(0o600)
    (text / "version.log").chmod(0o755)
    (base / "indices" / "text.key.btree").write_bytes(bytes(5000) + b"\x01")
    os.utime(text / "current.csv", ns=(1_600_000_000_123_456_789,) * 2)
    os.utime(base / "indices", ns=(1_500_000_000_000_000_001,) * 2)
    return base


def _described(path: Path) -> tuple[Any, ...]:
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if stat.S_ISDIR(status.st_mode):
        return "folder", mode, status.st_mtime_ns
    if stat.S_ISREG(status.st_mode):
        return "file", mode, status.st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()
    return "special", status.st_mode, os.readlink(path) if path.is_symlink() else None


@pytest.fixture(scope="session")
def snapshot() -> TakeSnapshot:
    """Everything below a folder by name: kind, mode, mtime and content.

    The folder itself is left out: its mtime changes with every name in it.
    """

    def take(root: Path, *parts: str) -> Tree:
        tops = [root / part for part in parts] if parts else [root]
        found = [path for top in tops for path in (top, *top.rglob("*")) if os.path.lexists(path)]
        return {str(path.relative_to(root)): _described(path) for path in found if path != root}

    return take


@pytest.fixture(scope="session")
def database(snapshot: TakeSnapshot) -> ReadDatabase:
    """The part of a base that a backup holds."""
    return lambda base: snapshot(base, "tables", "indices")


@pytest.fixture(scope="session")
def backup_at() -> BackupAt:
    """create_backup by a clock that says so many Unix seconds."""
    return lambda base, seconds: create_backup_at(base, seconds * 10**9)


@pytest.fixture
def clone(tmp_path: Path) -> CopyBase:
    """A copy of a base under another name, modes and mtimes included."""

    def copy(base: Path, name: object) -> Path:
        return Path(shutil.copytree(base, tmp_path / str(name), symlinks=True))

    return copy


@pytest.fixture(scope="session")
def tool() -> FindTool:
    """The path of an external tool; skips where it is missing, unless tools are required."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            if os.environ.get("REEDBACKUP_REQUIRE_TOOLS") == "1":
                pytest.fail(f"{name} is not installed, and REEDBACKUP_REQUIRE_TOOLS=1")
            pytest.skip(f"{name} is not installed")
        return path

    return find


# Python starts with the rights of the tests, which may be what finds it at all.
_BECOME_NOBODY = """
import os, sys
from reedbase_backup import PermissionDenied, create_backup, restore_point_in_time
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


@pytest.fixture
def as_nobody(tmp_path: Path) -> RunAsNobody:
    """Runs Python code without root's rights, as a user who then owns all of `tmp_path`.

    The code works there, with relative paths: pytest's folders are closed to others.
    """

    def run(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
        if os.geteuid() == 0:
            for path in (tmp_path, *tmp_path.rglob("*")):
                os.chown(path, 65534, 65534, follow_symlinks=False)
        relative = [path.relative_to(tmp_path) for path in paths]
        command = [sys.executable, "-c", _BECOME_NOBODY + code, *map(str, relative)]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)

    return run


@pytest.fixture(scope="session")
def for_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The temporary folder of this run of the tests, of all of pytest-xdist's workers."""
    folder = tmp_path_factory.getbasetemp()
    return folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder


@pytest.fixture(scope="session")
def once(for_all_workers: Path) -> Once:
    """Has one of pytest-xdist's workers make what is in a folder, for all of them."""

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder = for_all_workers / name
        with folder.with_suffix(".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                unfinished = folder.with_suffix(".unfinished")
                unfinished.mkdir(exist_ok=True)
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def build_once(for_all_workers: Path) -> str:
    """An option of runs of pytest: they share the databases that the suite builds."""
    return f"--override-ini=cache_dir={for_all_workers / 'cache'}"


@pytest.fixture
def run_suite(tmp_path: Path, build_once: str) -> RunSuite:
    """Runs the suite against implementations from an empty folder; the run and its report."""

    def run(
        *implementations: str, options: Sequence[str] = ()
    ) -> tuple[subprocess.CompletedProcess[str], json_report.Report]:
        report = tmp_path / "report.json"
        command = [sys.executable, "-m", "pytest", "-q", build_once, *options]
        ended = subprocess.run(
            [
                *command,
                *(f"--reedbackup-impl={option}" for option in implementations),
                f"--reedbackup-report={report}",
            ],
            cwd=tmp_path,
            # What pytest-xdist tells its workers is not meant for this run.
            env={n: value for n, value in os.environ.items() if not n.startswith("PYTEST_")},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return ended, json_report.read(report)

    return run


@pytest.fixture
def tests_for_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let child processes import the mutants, too."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
