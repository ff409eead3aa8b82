"""The crate for contract `ticket` as a process: real files, real kills, failing system calls."""

from __future__ import annotations

import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixture_types import FindTool
from rust.adapters import Adapter, Start, TakeSnapshot, Tree

pytestmark = pytest.mark.slow

STEPS = {
    "rename": "?rename,?renameat,?renameat2",
    "fsync": "?fsync,?syncfs",
    "mkdir": "?mkdir,?mkdirat",
    "unlink": "?unlink,?unlinkat,?rmdir",
    "write": "?write,?pwrite64",
    "chmod": "?fchmod,?chmod,?fchmodat",
}
"""System calls by which a backup or a restore changes the disk."""

Command = list[str | Path]


class Faults:
    """Starts the adapter such that its n-th system call of a kind fails, or kills it."""

    def __init__(self, strace: str, adapter: Path, log: Path) -> None:
        self._strace = strace
        self._adapter = adapter
        self._log = log

    def command(self, step: str, fault: str, when: int) -> Command:
        inject = f"inject={STEPS[step]}:{fault}:when={when}"
        return [*self._trace(step, "/dev/null"), "-e", inject, self._adapter]

    def count(self, step: str, start: Start, use: Callable[[Adapter], object]) -> int:
        """How many calls of a kind an adapter makes for `use`, at most; strace counts by name."""
        adapter = start(*self._trace(step, self._log), self._adapter)
        use(adapter)
        adapter.close()
        return len(self._log.read_text().splitlines())

    def order(self, start: Start, use: Callable[[Adapter], object]) -> list[str]:
        """The renames and syncs that an adapter makes for `use`, in order, with their paths."""
        calls = "trace=?rename,?renameat,?renameat2,?fsync,?syncfs"
        adapter = start(
            self._strace, "-f", "-qq", "-y", "-o", self._log, "-e", calls, self._adapter
        )
        use(adapter)
        adapter.close()
        return self._log.read_text().splitlines()

    def _trace(self, step: str, log: Path | str) -> Command:
        return [self._strace, "-f", "-qq", "-o", log, "-e", f"trace={STEPS[step]}"]


@pytest.fixture
def faults(tool: FindTool, ticket_adapter: Path, tmp_path: Path) -> Faults:
    strace = tool("strace")
    probe = subprocess.run([strace, "-f", "-qq", "-o", "/dev/null", "true"], capture_output=True)
    if probe.returncode != 0:
        pytest.skip(f"strace cannot trace here: {probe.stderr.decode(errors='replace')}")
    return Faults(strace, ticket_adapter, tmp_path / "strace.log")


def restore(adapter: Adapter, base: Path, target: int = 2**64 - 1) -> dict[str, Any]:
    params = {"contract": "ticket", "base_path": str(base), "target_timestamp": target}
    reply = adapter.call("restore_point_in_time", params)
    assert isinstance(reply, dict)
    return reply


def create(adapter: Adapter, base: Path) -> dict[str, Any]:
    reply = adapter.call("create_backup", {"contract": "ticket", "base_path": str(base)})
    assert isinstance(reply, dict)
    return reply


Live = dict[str, Tree]
"""The trees of tables and indices."""

OldAndNew = tuple[Callable[[], Live], Live]


def live(base: Path, snapshot: TakeSnapshot) -> Live:
    return {name: snapshot(base / name) for name in ("tables", "indices")}


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def old_and_new(
    base: Path, start: Start, ticket_adapter: Path, snapshot: TakeSnapshot
) -> OldAndNew:
    """A base whose live tree differs from its backup, and a way to make it differ again."""
    create(start(ticket_adapter), base)
    new = live(base, snapshot)

    def change() -> Live:
        (base / "tables/text/current.csv").write_text("changed since")
        (base / "tables/later").mkdir(exist_ok=True)
        (base / "indices/later.btree").write_text("later")
        return live(base, snapshot)

    return change, new


def test_a_database_comes_back_byte_for_byte(
    base: Path, start: Start, ticket_adapter: Path, snapshot: TakeSnapshot
) -> None:
    adapter = start(ticket_adapter)
    before = live(base, snapshot)
    made = create(adapter, base)["result"]["value"]
    assert made["table_count"] == 1
    assert made["size_bytes"] == (base / "backups" / f"{made['id']}.tar.gz").stat().st_size
    assert adapter.value("list_backups", contract="ticket", base_path=base) == [made]
    (base / "tables/text/current.csv").unlink()
    report = restore(adapter, base, made["timestamp"])["result"]["value"]
    files = [content for part in before.values() for _, content in part.values()]
    assert report["total_bytes"] == sum(len(content) for content in files if content)
    assert live(base, snapshot) == before
    assert entries(base) == ["backups", "indices", "registry", "tables"]


@pytest.mark.parametrize("step", STEPS)
def test_a_restore_killed_at_any_step_leaves_one_whole_tree(
    step: str, faults: Faults, base: Path, start: Start, ticket_adapter: Path,
    snapshot: TakeSnapshot, old_and_new: OldAndNew,
) -> None:  # fmt: skip
    change, new = old_and_new
    change()
    killed = 0
    for when in range(1, 1 + faults.count(step, start, lambda adapter: restore(adapter, base))):
        old = change()
        try:
            restore(start(*faults.command(step, "signal=SIGKILL", when)), base)
        except (EOFError, BrokenPipeError):
            killed += 1
        healthy = start(ticket_adapter)
        listed = healthy.value("list_backups", contract="ticket", base_path=base)
        assert len(listed) == 1
        assert live(base, snapshot) in (old, new), f"mixture after {step} {when}"
        assert "result" in restore(healthy, base)
        assert live(base, snapshot) == new
        assert entries(base) == ["backups", "indices", "registry", "tables"]
    assert killed >= 2


@pytest.mark.parametrize("step", STEPS)
def test_a_restore_whose_disk_fails_says_so_and_leaves_one_whole_tree(
    step: str, faults: Faults, base: Path, start: Start, ticket_adapter: Path,
    snapshot: TakeSnapshot, old_and_new: OldAndNew,
) -> None:  # fmt: skip
    change, new = old_and_new
    change()
    failures = 0
    for when in range(1, 1 + faults.count(step, start, lambda adapter: restore(adapter, base))):
        old = change()
        adapter = start(*faults.command(step, "error=EIO", when))
        try:
            reply = restore(adapter, base)
        except EOFError:
            # The reply itself could not be written.
            reply = {"result": None}
        if "result" in reply:
            assert live(base, snapshot) == new, f"success without restore: {step} {when}"
        else:
            failures += 1
            assert reply["error"]["data"]["kind"] == "IoError"
            assert live(base, snapshot) == old, f"failure with change: {step} {when}"
        assert "result" in restore(start(ticket_adapter), base)
        assert live(base, snapshot) == new
        assert entries(base) == ["backups", "indices", "registry", "tables"]
    assert failures >= 1


@pytest.mark.parametrize("step", ["rename", "fsync", "write", "mkdir"])
@pytest.mark.parametrize("backups", [0, 32])
@pytest.mark.parametrize("fault", ["error=EIO", "signal=SIGKILL"])
def test_a_create_that_fails_leaves_no_backup_and_no_rest(
    step: str, backups: int, fault: str, faults: Faults, base: Path, start: Start,
    ticket_adapter: Path, snapshot: TakeSnapshot,
) -> None:  # fmt: skip
    healthy = start(ticket_adapter)
    for _ in range(backups):
        create(healthy, base)
    before = live(base, snapshot)
    failures = 0
    for when in range(1, 1 + faults.count(step, start, lambda adapter: create(adapter, base))):
        if backups == 0:
            shutil.rmtree(base / "backups", ignore_errors=True)
        older = entries(base / "backups") if backups else []
        try:
            reply = create(start(*faults.command(step, fault, when)), base)
        except (EOFError, BrokenPipeError):
            # Dead: the backup may have been complete by then.
            reply = None
        failures += reply is None or "error" in reply
        listed = healthy.value("list_backups", contract="ticket", base_path=base)
        names = {f"{backup['id']}.tar.gz" for backup in listed}
        if reply and "error" in reply:
            assert reply["error"]["data"]["kind"] == "IoError"
            assert sorted(names) == older, f"an error left a backup: {step} {when}"
            assert backups or not (base / "backups").exists()
        else:
            assert len(names - set(older)) <= 1
        made = create(healthy, base)["result"]["value"]
        listed = healthy.value("list_backups", contract="ticket", base_path=base)
        assert listed[0] == made
        assert entries(base / "backups") == sorted(f"{one['id']}.tar.gz" for one in listed)
        assert backups in (0, len(listed))
        assert live(base, snapshot) == before
    assert failures >= 1


def positions(lines: list[str], pattern: str) -> list[int]:
    found = [number for number, line in enumerate(lines) if re.search(pattern, line)]
    assert found, f"{pattern} in {lines}"
    return found


def test_a_backup_is_on_disk_before_it_is_reported(
    faults: Faults, base: Path, start: Start
) -> None:
    lines = faults.order(start, lambda adapter: create(adapter, base))
    published = positions(lines, r"rename.*partial.*tar\.gz")[-1]
    assert positions(lines, r"fsync.*partial>")[-1] < published
    assert positions(lines, r"fsync.*/backups>")[-1] > published
    assert positions(lines, r"fsync.*/\.reed>")[0] < published, "the folder backups/ itself"


def test_a_restored_tree_is_on_disk_before_it_is_decided_on_and_swapped_in(
    faults: Faults, base: Path, start: Start, old_and_new: OldAndNew
) -> None:
    change, new = old_and_new
    change()
    lines = faults.order(start, lambda adapter: restore(adapter, base))
    decided = positions(lines, r"rename.*draft.*decided")[-1]
    swapped = positions(lines, r"rename.*new/(tables|indices)")
    for path in (f"new/{folder}/{name}" for folder, names in new.items() for name in names):
        assert positions(lines, rf"fsync.*{re.escape(path)}>")[-1] < decided
    for path in ("new", "new/tables", "new/indices", "draft"):
        assert positions(lines, rf"fsync.*{path}>")[-1] < decided
    assert decided < positions(lines, r"fsync.*/\.reedbackup-restore>")[0] < swapped[0]
    folder = positions(lines, r"fsync.*/\.reed>")
    assert decided < folder[0] < swapped[0]
    assert folder[-1] > swapped[-1]


def test_a_restore_killed_at_any_moment_leaves_one_whole_tree(
    base: Path, start: Start, ticket_adapter: Path, snapshot: TakeSnapshot, old_and_new: OldAndNew
) -> None:
    """Without strace: kills spread over the time that a restore takes."""
    change, new = old_and_new
    for number in range(300):
        (base / f"tables/text/{number}.bsdiff").write_text(str(number))
    create(start(ticket_adapter), base)
    new = live(base, snapshot)
    change()
    took = restore(start(ticket_adapter), base)["result"]["elapsed_ns"] / 1e9
    seen = set()
    for part in range(20):
        old = change()
        adapter = start(ticket_adapter)
        adapter.call("hello", {"protocol": 1})
        timer = threading.Timer(took * part / 20, adapter.process.kill)
        timer.start()
        try:
            restore(adapter, base)
        except (EOFError, BrokenPipeError):
            seen.add("killed")
        timer.join()
        start(ticket_adapter).value("list_backups", contract="ticket", base_path=base)
        assert live(base, snapshot) in (old, new)
    assert "killed" in seen
