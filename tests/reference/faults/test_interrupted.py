"""Ctrl-C at any bytecode: what is on the disk, and nothing in memory, decides what comes next."""

from __future__ import annotations

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from fixture_types import CopyBase, ReadDatabase
from reference.faults.traced import leftovers

import reedbase_backup
from reedbase_backup import create_backup, list_backups, restore_point_in_time
from reedbase_backup.types import U64_MAX as FOREVER

pytestmark = pytest.mark.slow

PACKAGE = Path(reedbase_backup.__file__).parent
# Where a call changes the disk.
ROOMS = frozenset(
    str((PACKAGE / name).resolve(strict=True))
    for name in (
        "create.py", "restore.py", "retention.py", "disk/durable.py", "disk/folders.py",
        "swap/journal.py", "swap/lock_preservation.py", "swap/plan.py", "swap/steps.py",
        "swap/transaction.py", "swap/working_folders.py",
    )
)  # fmt: skip
SAMPLE = 15


def open_files() -> set[int]:
    found = set()
    for name in os.listdir("/dev/fd"):
        # But for the one by which that was listed.
        with suppress(OSError):
            os.fstat(int(name))
            found.add(int(name))
    return found


class Interrupts:
    """Raises KeyboardInterrupt at chosen bytecodes of the package, counted from 1."""

    def __init__(self, *places: int) -> None:
        self.seen = 0
        self._places = places

    def run(self, call: Callable[..., object], *arguments: object) -> bool:
        """Whether the call was interrupted."""
        before, files = sys.gettrace(), open_files()
        sys.settrace(self._enter)
        try:
            call(*arguments)
        except KeyboardInterrupt:
            return True
        finally:
            sys.settrace(before)
            # An interrupt on the way to a `close` leaves that to the end of the process.
            gc.collect()
            for descriptor in open_files() - files:
                with suppress(OSError):
                    os.close(descriptor)
        return False

    def _enter(self, frame: FrameType, event: str, _: Any) -> Any:
        if frame.f_code.co_filename not in ROOMS:
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, frame: FrameType, event: str, _: Any) -> Any:
        if event == "opcode":
            self.seen += 1
            if self.seen in self._places:
                raise KeyboardInterrupt
        return self._step


@pytest.fixture
def quick_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """No power is cut here, so nothing need be synced."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(autouse=True)
def _leaving_files_open(recwarn: pytest.WarningsRecorder) -> Iterator[None]:
    """An interrupt between opening and `with` leaves that to the garbage collector."""
    yield
    gc.collect()
    recwarn.clear()


def places(length: int, sample: int | None) -> range:
    return range(1, length + 1, 1 if sample is None else max(1, length // sample) | 1)


def second(first: int, length: int) -> int:
    """A place for another interrupt, while the first one is being handled."""
    return first + 1 + first * 7919 % (length // 3)


SCOPES = [
    pytest.param(SAMPLE, id="sample"),
    pytest.param(None, id="full", marks=pytest.mark.campaign),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("sample", SCOPES)
def test_a_restore_interrupted_at_any_bytecode_loses_nothing(
    small: Path,
    clone: CopyBase,
    database: ReadDatabase,
    quick_disk: None,
    times: int,
    sample: int | None,
) -> None:
    old, undisturbed = database(small), clone(small, "undisturbed")
    counted = Interrupts()
    counted.run(restore_point_in_time, undisturbed, FOREVER)
    new = database(undisturbed)
    interrupted = 0
    for place in places(counted.seen, sample):
        base = clone(small, place)
        at = (place, second(place, counted.seen))[:times]
        if Interrupts(*at).run(restore_point_in_time, base, FOREVER):
            interrupted += 1
        now = database(base)
        create_backup(base)
        then = database(base)
        assert then in (old, new), at
        # One interrupt is handled in the call itself: nothing is left for the next one.
        assert times == 2 or now == then, at
        assert leftovers(base) == [], at
        restore_point_in_time(base, 1000)
        assert database(base) == new, at
        shutil.rmtree(base)
    assert interrupted > 0.9 * len(places(counted.seen, sample))


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("sample", SCOPES)
def test_a_create_interrupted_at_any_bytecode_loses_no_backup(
    small: Path,
    clone: CopyBase,
    database: ReadDatabase,
    quick_disk: None,
    times: int,
    sample: int | None,
) -> None:
    backups = small / "backups"
    for seconds in range(1001, 1033):
        shutil.copy(backups / "1000.tar.gz", backups / f"{seconds}.tar.gz")
    before, old = database(small), [info.id for info in list_backups(small)]
    counted = Interrupts()
    counted.run(create_backup, clone(small, "undisturbed"))
    for place in places(counted.seen, sample):
        base: Path = clone(small, place)
        at = (place, second(place, counted.seen))[:times]
        Interrupts(*at).run(create_backup, base)
        kept = [info.id for info in list_backups(base)]
        assert set(old[:31]) <= set(kept), at
        made = set(kept) - set(old)
        # An older one is gone only where the new one is there.
        assert made or times == 2 or kept == old, at
        create_backup(base)
        assert len(list_backups(base)) == 32, at
        assert leftovers(base) == [], at
        assert database(base) == before, at
        shutil.rmtree(base)
