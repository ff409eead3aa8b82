"""A disk with room for n bytes more, for every n: all as before, or all done."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pyfakefs.fake_filesystem import FakeFilesystem
from pyfakefs.fake_filesystem_unittest import Patcher

from reedbase_backup import IoError, create_backup, list_backups, restore_point_in_time
from reedbase_backup.types import U64_MAX as FOREVER

BASE = Path("/somewhere/db.reed")
CURRENT = BASE / "tables" / "t" / "current.csv"
BACKED_UP = b"id,name\n1,one\n" * 20

Content = dict[str, bytes | None]


class Disk:
    """A disk in memory, in which a database has one backup and has changed since."""

    def __init__(self, files: FakeFilesystem) -> None:
        self._files = files

    def prepare(self) -> None:
        self.give(None)
        if BASE.exists():
            shutil.rmtree(BASE)
        for name in ("tables/t/.lock", "indices/deep/er", "registry/dictionary"):
            (BASE / name).parent.mkdir(parents=True)
            (BASE / name).write_bytes(b"" if name.endswith(".lock") else b"{}")
        CURRENT.write_bytes(BACKED_UP)
        create_backup(BASE)
        CURRENT.write_bytes(b"changed since")
        (CURRENT.parent / "new").write_bytes(b"made since")

    def give(self, more: int | None) -> None:
        """Leave room for so many bytes, or without end."""
        for disk in self._files.mount_points.values():
            disk["total_size"] = None if more is None else disk["used_size"] + more


@pytest.fixture
def disk() -> Iterator[Disk]:
    with Patcher() as patched:
        assert patched.fs is not None
        yield Disk(patched.fs)


def content() -> Content:
    """The bytes of every file, and every folder; pyfakefs gets a file's mode wrong as it opens."""
    return {str(path): path.read_bytes() if path.is_file() else None for path in BASE.rglob("*")}


CALLS = {"create": create_backup, "restore": lambda base: restore_point_in_time(base, FOREVER)}


@pytest.mark.slow
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize(
    "step",
    [pytest.param(29, id="sample"), pytest.param(1, id="full", marks=pytest.mark.campaign)],
)
def test_whatever_room_a_disk_has_a_call_is_refused_with_all_as_before_or_is_done(
    disk: Disk, call: Callable[[Path], object], step: int
) -> None:
    refused = done = 0
    while done < 2:
        disk.prepare()
        before, room = content(), (refused + done) * step
        disk.give(room)
        if (words := refusal(call)) is None:
            done += 1
            assert call is create_backup or CURRENT.read_bytes() == BACKED_UP, room
        else:
            refused += 1
            assert "make room" in words, room
            assert content() == before, room
        after = content()
        disk.give(None)
        create_backup(BASE)
        now = content()
        assert {path: now.get(path) for path in after} == after, room
        assert not [path for path in now if ".reedbackup" in path], room
        assert [info.table_count for info in list_backups(BASE)] == [1] * backups_in(now), room
        restore_point_in_time(BASE, list_backups(BASE)[-1].timestamp)
    assert refused > 300 // step


def refusal(call: Callable[[Path], object]) -> str | None:
    try:
        call(BASE)
    except IoError as error:
        return error.reason
    return None


def backups_in(now: Content) -> int:
    return sum(os.path.dirname(path) == str(BASE / "backups") for path in now)
