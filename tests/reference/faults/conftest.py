"""A small database, and calls on it that are traced or killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from fixture_types import CopyBase, FindTool, MakeBase, ReadDatabase
from reference.faults.traced import (
    CALLS,
    CHILD,
    LINE,
    Kill,
    Restored,
    Run,
    RunTraced,
)

from reedbase_backup import create_backup


@pytest.fixture(scope="session")
def strace(tool: FindTool) -> str:
    path: str = tool("strace")
    tried = subprocess.run([path, "-f", "true"], capture_output=True, text=True)
    if tried.returncode != 0:
        if os.environ.get("REEDBACKUP_REQUIRE_TOOLS") == "1":
            pytest.fail(f"strace does not work here: {tried.stderr}")
        pytest.skip(f"strace does not work here: {tried.stderr}")
    return path


@pytest.fixture(scope="session")
def run_traced(strace: str) -> RunTraced:
    def run(call: str, base: Path, inject: str | None = None, calls: str = CALLS) -> Run:
        log = base.with_name(base.name + ".strace")
        injection = ["-e", f"inject={inject}"] if inject else []
        traced: list[str | Path] = [strace, "-f", "-y", "-e", f"trace={calls}", "-o", log]
        child: list[str | Path] = [sys.executable, "-B", "-c", CHILD, call, base]
        done = subprocess.run(
            [*traced, *injection, *child], capture_output=True, text=True, timeout=60
        )
        made: list[tuple[str, str]] = []
        points: list[tuple[str, int]] = []
        seen = Counter[str]()
        for name, arguments, failed in LINE.findall(log.read_text()):
            seen[name] += 1
            if str(base) in arguments and not failed:
                made.append((name, arguments))
                points.append((name, seen[name]))
        log.unlink()
        return Run(done.returncode, done.stderr, made, points)

    return run


@pytest.fixture
def small(make_base: MakeBase) -> Path:
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
def restored(
    small: Path, clone: CopyBase, database: ReadDatabase, run_traced: RunTraced
) -> Restored:
    """The trees before and after an undisturbed restore of `small`, and the run."""
    base = clone(small, "undisturbed")
    run = run_traced("restore", base)
    assert run.status == 0
    return database(small), database(base), run


@pytest.fixture(scope="session")
def kill(run_traced: RunTraced) -> Kill:
    """Runs a call that is killed as it enters its n-th system call of a name."""

    def run(call: str, base: Path, name: str, n: int) -> None:
        killed = run_traced(call, base, f"{name}:signal=SIGKILL:when={n}")
        assert killed.status == -9, (name, n, killed)

    return run
