"""Every table changes places by itself, by a plan; what a kill leaves the next call finishes.

It is the swap of `mutants.swapping`, a table, an index or a loose file at a time, and the
plan, {base}/.swap/plan, says which there are and what the roots are to be.
"""

from __future__ import annotations

import json
import os
import re
import stat
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from mutants.durable.plain import Plain, count_tables, reported
from mutants.in_place import is_folder, is_there, remove
from mutants.model import BackupInfo, RestoreReport
from mutants.swapping import Swapping
from mutants.syncing import settle_folder, sync
from mutants.tar_gz import ROOTS

_FILLING = "being-filled"
_Move = Callable[[Path, Path, Path], None]
"""Takes what is live, the new and the old."""


class PerTable(Plain, Swapping):
    """What pruning takes goes through a name that the next call throws away."""

    own = re.compile(r"at(0|[1-9][0-9]*)no([1-9][0-9]*)\.tar\.gz", re.ASCII)

    def name(self, seconds: int, number: int) -> str:
        return f"at{seconds}no{number}"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        base = Path(base_path)
        with self.locked(base):
            self.finish_swap(base)
            self.require_tables(base)
            filling = base / "backups" / _FILLING
            if is_folder(filling.parent):
                remove(filling)
            entries = list(self.source(base))
            going, made = self.surplus(base), self.next_archive(base, now_ns)
            if not is_there(filling.parent):
                filling.parent.mkdir(0o700)
                sync(base)
            filling.mkdir(0o700)
            try:
                size = self.fill(filling / "archive", self.compress(self.pack(entries)))
                (filling / "archive").rename(made.path)
                try:
                    sync(made.path.parent)
                    for archive in going[:1]:
                        archive.path.rename(filling / "gone")
                except OSError:  # Ctrl-C may come when one is gone: then the new one stays
                    made.path.rename(filling / "archive")
                    raise
                for archive in going[1:]:
                    with suppress(OSError):
                        archive.path.unlink()
            finally:
                with suppress(OSError):
                    remove(filling)
                    sync(filling.parent)
            return BackupInfo(made.id, made.timestamp, size, count_tables(entries), "gzip")

    def fill(self, path: Path, content: bytes) -> int:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        return len(content)

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        started, base = time.monotonic_ns(), Path(base_path)
        with self.locked(base):
            self.finish_swap(base)
            entries = self.picked(base, target_timestamp)
            self.install(base, entries)
            return reported(entries, started)

    # The plan ----------------------------------------------------------------

    def plan(self, staging: Path) -> None:
        roots = {}
        for root in ROOTS:
            live, new = staging.parent / root, staging / "new" / root
            if is_folder(live) and is_folder(new):
                names = sorted({*os.listdir(live), *os.listdir(new)})
                roots[root] = {"names": names, "old": _looks(live), "new": _looks(new)}
        with (staging / "plan").open("x") as file:
            json.dump(roots, file)
            file.flush()
            os.fsync(file.fileno())

    def swap_roots(self, base: Path, swap: Path) -> None:
        self.move_all(base, swap, self.swap_root, "new")

    def take_roots_back(self, base: Path, swap: Path) -> None:
        self.move_all(base, swap, self.take_back_root, "old")

    def move_all(self, base: Path, swap: Path, move: _Move, to: str) -> None:
        """Moves each part of the plan; the roots look then as those they are moved to."""
        plan = json.loads((swap / "plan").read_text())
        for root in ROOTS:
            if root not in plan:
                move(base / root, swap / "new" / root, swap / "old" / root)
                continue
            (base / root).chmod(0o700)
            (swap / "new" / root).chmod(0o700)
            for place, name in enumerate(plan[root]["names"]):
                new, old = swap / "new" / root / name, swap / "old" / f"{root}-{place}"
                move(base / root / name, new, old)
            _settle(base / root, plan[root][to])
        self.sync_swap(base, swap)


def _looks(folder: Path) -> list[float]:
    status = folder.stat()
    return [stat.S_IMODE(status.st_mode), status.st_atime, status.st_mtime]


def _settle(folder: Path, looks: list[float]) -> None:
    mode, *times = looks
    settle_folder(folder, int(mode), (times[0], times[1]))
