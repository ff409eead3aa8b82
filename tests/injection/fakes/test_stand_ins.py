"""What stands in for pyfakefs does as a real file system does."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.injection.fakes.disk import FakeDisk, fake_disk
from pytest_reedbackup.injection.fakes.memory import StoredTree

READ, NEW = os.O_RDONLY, os.O_RDWR | os.O_CREAT | os.O_EXCL

Does = Callable[[Path], object]


def opened(path: Path, flags: int = NEW, mode: int = 0o600) -> int:
    return os.open(path, flags, mode)


def _mode_of_what_is_there(folder: Path) -> object:
    path = folder / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o777))
    return stat.S_IMODE(path.stat().st_mode)


def _umask(folder: Path) -> object:
    before = os.umask(0o027)
    try:
        os.close(opened(folder / "file", mode=0o666))
        return stat.S_IMODE((folder / "file").stat().st_mode)
    finally:
        os.umask(before)


def _positions(folder: Path) -> object:
    file = opened(folder / "file")
    os.write(file, b"0123456789")
    moves = [os.lseek(file, 4, os.SEEK_SET), os.lseek(file, 2, os.SEEK_CUR)]
    moves += [os.lseek(file, -1, os.SEEK_END), os.lseek(file, 3, os.SEEK_DATA)]
    moves += [os.lseek(file, 3, os.SEEK_HOLE)]
    with pytest.raises(OSError) as beyond:
        os.lseek(file, 10, os.SEEK_DATA)
    return moves, beyond.value.errno


def _at_places(folder: Path) -> object:
    file = opened(folder / "file")
    done: list[object] = [os.writev(file, [b"0123", b"4567"]), os.pwrite(file, b"ab", 2)]
    done += [os.pwritev(file, [b"c", b"d"], 6), os.pread(file, 3, 1), os.read(file, 9)]
    buffers = [bytearray(3), bytearray(9)]
    done += [os.preadv(file, buffers, 1), bytes(buffers[0]), bytes(buffers[1])]
    os.lseek(file, 0, os.SEEK_SET)
    return [*done, os.readv(file, buffers), os.read(file, 9)]


def _copies_within_the_system(folder: Path) -> object:
    source, target = opened(folder / "source"), opened(folder / "target")
    os.write(source, b"0123456789")
    os.lseek(source, 2, os.SEEK_SET)
    copied = [os.copy_file_range(source, target, 3), os.copy_file_range(source, target, 99)]
    copied += [os.copy_file_range(source, target, 9), os.copy_file_range(source, target, 2, 0, 1)]
    return copied, os.lseek(source, 0, os.SEEK_CUR), (folder / "target").read_bytes()


def _room_made(folder: Path) -> object:
    file = opened(folder / "file")
    os.posix_fallocate(file, 0, 100)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.posix_fallocate(file, 0, 10)
    return os.fstat(file).st_size


def _locks(folder: Path) -> object:
    one, other = opened(folder / "lock"), opened(folder / "lock", READ)
    same = os.dup(one)
    states = []

    def try_lock(file: int, kind: int) -> None:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            states.append("held")
        except BlockingIOError:
            states.append("taken")

    try_lock(one, fcntl.LOCK_EX)
    try_lock(other, fcntl.LOCK_SH)
    try_lock(same, fcntl.LOCK_SH)
    try_lock(other, fcntl.LOCK_SH)
    try_lock(other, fcntl.LOCK_EX)
    fcntl.flock(one, fcntl.LOCK_UN)
    try_lock(other, fcntl.LOCK_EX)
    os.close(other)
    try_lock(one, fcntl.LOCK_EX)
    return states


def _given_away(folder: Path) -> object:
    file = opened(folder / "file")
    os.fchown(file, os.geteuid(), -1)
    os.lchown(folder / "file", -1, os.getegid())
    return os.fstat(file).st_uid == os.geteuid(), os.isatty(file)


def _many_closed(folder: Path) -> object:
    first = opened(folder / "1")
    os.closerange(first, first + 1)
    with pytest.raises(OSError) as closed:
        os.write(first, b"x")
    return closed.value.errno


def _not_shared(folder: Path) -> object:
    file = opened(folder / "file")
    with pytest.raises(OSError) as refused:
        fcntl.ioctl(file, 0x12345678, 0)
    return refused.value.errno


ALIKE: list[Does] = [
    *(_mode_of_what_is_there, _umask, _positions, _at_places, _copies_within_the_system),
    *(_room_made, _locks, _given_away, _many_closed, _not_shared),
]


@pytest.mark.skipif(sys.platform != "linux", reason="as Linux does")
@pytest.mark.parametrize("does", ALIKE, ids=lambda does: does.__name__.strip("_"))
def test_a_call_does_on_a_disk_in_memory_what_it_does_on_a_real_one(
    does: Does, database: Path
) -> None:
    on_a_real_one = does(database)
    with fake_disk(StoredTree(StoredTree.read(database.parent).entries[:2])) as disk:
        assert does(disk.base.parent) == on_a_real_one
        assert not disk.lacks


def test_a_write_takes_what_fits_and_then_fails(disk: FakeDisk) -> None:
    disk.resize(disk.used + 10)
    file = opened(disk.base / "new")
    assert os.write(file, b"0123456") == 7
    assert os.write(file, b"0123456") == 3
    with pytest.raises(OSError) as full:
        os.write(file, b"3")
    assert full.value.errno == errno.ENOSPC
    os.lseek(file, 0, os.SEEK_SET)
    assert os.write(file, b"over what is there") == 10
    assert (disk.base / "new").read_bytes() == b"over what "
    disk.resize(disk.used + 5)
    assert os.write(file, b"and on") == 5
    assert disk.most_used == disk.used


def test_the_room_on_the_disk_is_what_it_says(disk: FakeDisk) -> None:
    disk.resize(disk.used + 77)
    folder = os.open(disk.base, READ)
    for room in (os.statvfs(disk.base), os.fstatvfs(folder)):
        assert room.f_bavail * room.f_frsize == room.f_bfree * room.f_frsize == 77
        assert room.f_blocks * room.f_frsize == disk.used + 77
    assert os.pathconf(disk.base, "PC_NAME_MAX") == os.fpathconf(folder, "PC_NAME_MAX") == 255
    assert os.statvfs("/").f_bavail > 1 << 30


def test_blocks_are_not_shared(disk: FakeDisk) -> None:
    source, target = opened(disk.base / "1"), opened(disk.base / "2")
    with pytest.raises(OSError) as refused:
        fcntl.ioctl(target, 0x40049409, source)
    assert refused.value.errno == errno.EOPNOTSUPP


BEYOND: dict[str, Callable[[], object]] = {
    "subprocess.Popen": lambda: subprocess.run(["true"], check=False),
    "ctypes.CDLL": lambda: ctypes.CDLL(None),
    "mmap.mmap": lambda: mmap.mmap(-1, 10),
    "os.fork": lambda: os.fork(),
    "os.mkfifo": lambda: os.mkfifo("/reedbackup-disk/.reed/fifo"),
}


@pytest.mark.parametrize("name", BEYOND)
def test_what_would_reach_the_real_system_is_refused_and_noted(disk: FakeDisk, name: str) -> None:
    with pytest.raises(OSError, match="is not to be had on a disk in memory"):
        BEYOND[name]()
    assert disk.lacks == [name]


def test_no_file_here_has_the_number_of_a_real_one(disk: FakeDisk) -> None:
    file = opened(disk.base / "new")
    # As C code would call it, with the number that it was given.
    with pytest.raises(OSError) as unknown:
        os.get_blocking(file)
    assert unknown.value.errno == errno.EBADF
