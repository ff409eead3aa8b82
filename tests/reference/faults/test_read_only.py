"""Restores to folders that nobody may write to, or that a group shares."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from fixture_types import CopyBase, ReadDatabase, RunAsNobody
from reference.faults.traced import AS_NOBODY, CHILD, leftovers

from reedbase_backup import (
    create_backup,
)

pytestmark = pytest.mark.slow


CLOSED = {
    "tables": ["tables"],
    "both roots": ["tables", "indices"],
    "one table": ["tables/routes"],
    "all": ["tables/routes", "tables/text/empty", "tables/text", "tables", "indices"],
}


@pytest.mark.parametrize("closed", CLOSED.values(), ids=CLOSED)
def test_folders_that_are_read_only_come_back_for_their_owner(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase, closed: list[str]
) -> None:
    for place in closed:
        (base / place).chmod(0o555)
    before = database(base)
    create_backup(base)
    os.utime(base / "tables" / "routes" / ".lock", (1, 1))
    done = as_nobody(
        """
for _ in range(2):
    print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)
""",
        base,
    )
    assert (done.stdout, done.stderr) == ("2\n2\n", "")
    assert database(base) == before
    assert leftovers(base) == []


# What is tried in every run, of all that a campaign tries.
QUICK = (("?fchmodat", "error=EIO"), ("renameat", "signal=SIGINT"))


@pytest.fixture
def run_as_nobody(strace: str, tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Runs a call on a base in `tmp_path` without root's rights, with a fault injected."""
    if os.geteuid() != 0:
        pytest.skip("only root can start a child that is somebody else")

    def run(call: str, base: Path, inject: str) -> tuple[int, str]:
        for path in (tmp_path, *tmp_path.rglob("*")):
            os.chown(path, 65534, 65534, follow_symlinks=False)
        child: list[str | Path] = [
            sys.executable,
            "-B",
            "-c",
            AS_NOBODY + CHILD,
            call,
            base.relative_to(tmp_path),
        ]
        done = subprocess.run(
            [strace, "-f", "-o", "/dev/null", "-e", f"inject={inject}", *child],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            timeout=60,
        )
        return done.returncode, done.stderr

    return run


@pytest.mark.parametrize(
    ("call", "what"),
    [
        pytest.param(call, what, marks=() if (call, what) in QUICK else pytest.mark.campaign)
        for call in ("fchmod", "?fchmodat", "renameat", "utimensat", "linkat")
        for what in ("error=EIO", "error=EPERM", "signal=SIGINT", "signal=SIGKILL")
    ],
)
def test_read_only_roots_survive_any_call_that_goes_wrong(
    base: Path,
    clone: CopyBase,
    database: ReadDatabase,
    run_as_nobody: Callable[..., tuple[int, str]],
    call: str,
    what: str,
) -> None:
    """V2: a chmod that fails after a rename, by a user who needs it."""
    shutil.rmtree(base / "tables" / "text")
    for place in ("tables/routes", "tables", "indices"):
        (base / place).chmod(0o555)
    create_backup(base)
    new = database(base)
    (base / "indices" / "made since").touch()
    old = database(base)
    status, n = 1, 0
    while status != 0:
        n += 1
        copy = clone(base, f"copy{n}")
        status, words = run_as_nobody("restore", copy, f"{call}:{what}:when={n}")
        now = database(copy)
        create_backup(copy)
        then = database(copy)
        assert then in (old, new), n
        if status == 1 and "next create" not in words and "KeyboardInterrupt" not in words:
            assert now == then == old, (n, words)
        assert status != 0 or now == then == new
        assert leftovers(copy) == [], n
        assert n < 99
    assert n > (1 if "link" in call else 3) or what == "error=EPERM"


def test_a_lock_that_may_not_be_linked_leaves_no_name_behind_for_the_next(
    base: Path, as_nobody: RunAsNobody, database: ReadDatabase
) -> None:
    """V4, with a folder that was opened up for its own lock only."""
    (base / "tables" / "routes").chmod(0o555)
    before = database(base)
    create_backup(base)
    locks = [(base / "tables" / name / ".lock").stat().st_ino for name in ("routes", "text")]
    done = as_nobody("print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)", base)
    assert (done.stdout, done.stderr) == ("2\n", "")
    assert database(base) == before
    assert [
        (base / "tables" / name / ".lock").stat().st_ino for name in ("routes", "text")
    ] == locks


def test_a_shared_database_keeps_its_group_and_bits_for_a_member(
    base: Path, as_nobody: RunAsNobody
) -> None:
    """Setgid and sticky folders, restored without root's rights."""
    if os.geteuid() != 0:
        pytest.skip("only root can make a member of another group")
    for place in (base / "tables", base / "tables" / "text"):
        place.chmod(0o3775)
    create_backup(base)
    done = as_nobody("print(restore_point_in_time(sys.argv[1], 2**63).tables_restored)", base)
    assert (done.stdout, done.stderr) == ("2\n", "")
    for place in (base / "tables", base / "tables" / "text"):
        assert place.stat().st_mode & 0o7777 == 0o3775
