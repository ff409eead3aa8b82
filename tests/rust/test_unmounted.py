"""The crate for contract `ticket`: a part of a killed restore is not mounted at the next call."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from fixture_types import FindTool
from reference.faults.mounted.mounting import needs_mounts
from rust.adapters import Start, TakeSnapshot

pytestmark = pytest.mark.slow

CALLS = "?rename,?renameat,?renameat2"
FOREVER = 2**64 - 1


@needs_mounts
@pytest.mark.parametrize("where", ["tables", "tables/text"])
def test_no_call_takes_half_a_restore_for_a_database_while_a_part_is_not_mounted(
    base: Path,
    mount: Callable[..., None],
    tmp_path: Path,
    snapshot: TakeSnapshot,
    start: Start,
    ticket_adapter: Path,
    tool: FindTool,
    where: str,
) -> None:
    start(ticket_adapter).value("create_backup", contract="ticket", base_path=base)
    new, refused = snapshot(base / "tables"), 0
    for n in range(1, 60):
        copied = shutil.copytree(base, tmp_path / str(n) / ".reed", symlinks=True)
        place, kept = copied / where, tmp_path / f"kept{n}"
        place.rename(kept)
        place.mkdir()
        mount("--bind", kept, place)
        (copied / "tables" / "text" / "current.csv").write_text("changed")
        (copied / "tables" / "text" / "another.bsdiff").write_text("since")
        old = snapshot(copied / "tables")
        fault = f"inject={CALLS}:signal=SIGKILL:when={n}"
        traced = [tool("strace"), "-f", "-qq", "-o", "/dev/null", "-e", f"trace={CALLS}"]
        killed = start(*traced, "-e", fault, ticket_adapter)
        params = {"contract": "ticket", "base_path": str(copied), "target_timestamp": FOREVER}
        with suppress(EOFError):
            killed.call("restore_point_in_time", params)
            break
        subprocess.run(["umount", place], check=True)
        adapter = start(ticket_adapter)
        if not list(copied.glob(".reedbackup-restore/inner-*")):
            continue
        for method in ("create_backup", "restore_point_in_time"):
            arguments = {"target_timestamp": FOREVER} if method.startswith("restore") else {}
            error = adapter.error(method, contract="ticket", base_path=copied, **arguments)
            assert f"{place}: " in error["message"]
            assert "mount it again" in error["message"]
        refused += 1
        mount("--bind", kept, place)
        adapter.value("create_backup", contract="ticket", base_path=copied)
        assert snapshot(copied / "tables") in (old, new)
    assert refused > 1
