"""Where pyfakefs is not true to life, and what stands in for it here.

As measured of pyfakefs 6.3, beside what it does as Linux does:

| call | pyfakefs | here, as a Linux file system without reflinks |
|---|---|---|
| open of what is there | gives it the mode of a new file | leaves the mode |
| open with a mode | forgets the umask | heeds it |
| write to a full disk | nothing, and keeps the bytes for later | what fits, then ENOSPC |
| lseek | returns nothing | the position |
| flock (`stand_in_fcntl`) | always granted | held by an open file, until that is closed |
| ioctl (the same) | succeeds, and shares no blocks | EOPNOTSUPP of FICLONE, else ENOTTY |
| statvfs, pread, pwrite, readv, writev, fchown, posix_fallocate, copy_file_range, … | the \
real system's, on whatever file has that number | done on the fake disk |

What is left, processes and libraries that open files by themselves among it, is refused here
and noted (`lacking`), so that no implementation is accused for having used it.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from pyfakefs.fake_file import FakeFileWrapper
from pyfakefs.fake_filesystem import FakeFilesystem
from pyfakefs.fake_os import FakeOsModule

from pytest_reedbackup.injection.fakes.lacking import Lacking
from pytest_reedbackup.injection.fakes.lookup import path_of

_REFUSED = frozenset(
    {
        *("chroot", "fchdir", "fwalk", "memfd_create", "mkfifo", "splice", "login_tty"),
        *("fork", "forkpty", "popen", "posix_spawn", "posix_spawnp", "system"),
        *("execl", "execle", "execlp", "execlpe", "execv", "execve", "execvp", "execvpe"),
        *("spawnl", "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp", "spawnvpe"),
    }
)
"""What of `os` would reach the real system, and has no place on the fake disk."""

_STANDARD_STREAMS = 3
_WITHOUT_LIMIT = 1 << 40


class StandInOs(FakeOsModule):
    """`os` on the fake disk."""

    def __init__(self, filesystem: FakeFilesystem) -> None:
        super().__init__(filesystem)
        self.lacking = Lacking()

    @staticmethod
    def dir() -> list[str]:
        """Return what is replaced where it was imported by its name, too."""
        own = [name for name in vars(StandInOs) if not name.startswith("_")]
        others = ["chmod", "fchmod", "truncate", "ftruncate", "sendfile", "renames"]
        return [*FakeOsModule.dir(), *others, *(name for name in own if hasattr(os, name))]

    def open(
        self, path: Any, flags: int, mode: int | None = 0o777, *, dir_fd: int | None = None
    ) -> int:
        """Open a file or folder; one that is there already keeps its mode."""
        try:
            there = self.filesystem.resolve(self._path_with_dir_fd(path, self.open, dir_fd))
            kept = there.st_mode, there.st_ctime
        except OSError:
            there = None
        wanted = (0o777 if mode is None else mode) & ~self.filesystem.umask
        descriptor: int = super().open(path, flags, wanted, dir_fd=dir_fd)
        if there is not None:
            there.st_mode, there.st_ctime = kept
        return descriptor

    def write(self, fd: int, contents: Any) -> int:
        """Write what the disk has room for. Raise ENOSPC where it has none."""
        data = bytes(contents)
        handle = self.filesystem.get_open_file(fd)
        if data and isinstance(handle, FakeFileWrapper) and handle.allow_update:
            end = handle.file_object.st_size
            position = end if handle.open_modes.append else handle.tell()
            _, free = room_on(self.filesystem, handle.file_object.st_dev)
            room = max(0, end - position) + free
            data = data[:room]
            if not data:
                self.filesystem.raise_os_error(errno.ENOSPC)
        written: int = super().write(fd, data)
        return written

    def lseek(self, fd: int, pos: int, whence: int) -> int:
        """Move, and return where that is; files here have no holes."""
        handle = self._file(fd)
        size = handle.file_object.st_size
        if whence in (os.SEEK_DATA, os.SEEK_HOLE):
            if pos >= size:
                self.filesystem.raise_os_error(errno.ENXIO)
            pos, whence = (pos if whence == os.SEEK_DATA else size), os.SEEK_SET
        return handle.seek(pos, whence)

    def pread(self, fd: int, n: int, offset: int) -> bytes:
        """Read at a place."""
        return (self._file(fd).file_object.byte_contents or b"")[offset : offset + n]

    def pwrite(self, fd: int, data: Any, offset: int) -> int:
        """Write at a place."""
        handle = self._file(fd)
        before = handle.tell()
        handle.seek(offset)
        try:
            return self.write(fd, data)
        finally:
            handle.seek(before)

    def readv(self, fd: int, buffers: Sequence[Any]) -> int:
        """Read into several buffers."""
        return _fill(buffers, self.read(fd, sum(map(len, buffers))))

    def preadv(self, fd: int, buffers: Sequence[Any], offset: int, flags: int = 0) -> int:
        """Read at a place into several buffers."""
        return _fill(buffers, self.pread(fd, sum(map(len, buffers)), offset))

    def writev(self, fd: int, buffers: Sequence[Any]) -> int:
        """Write several buffers."""
        return self.write(fd, b"".join(buffers))

    def pwritev(self, fd: int, buffers: Sequence[Any], offset: int, flags: int = 0) -> int:
        """Write several buffers at a place."""
        return self.pwrite(fd, b"".join(buffers), offset)

    def copy_file_range(
        self,
        src: int,
        dst: int,
        count: int,
        offset_src: int | None = None,
        offset_dst: int | None = None,
    ) -> int:
        """Copy what the disk has room for."""
        start = self._file(src).tell() if offset_src is None else offset_src
        data = self.pread(src, count, start)
        if not data:
            return 0
        copied = self.write(dst, data) if offset_dst is None else self.pwrite(dst, data, offset_dst)
        if offset_src is None:
            self.lseek(src, start + copied, os.SEEK_SET)
        return copied

    def posix_fallocate(self, fd: int, offset: int, len: int) -> None:  # noqa: A002 - os has it so
        """Make room. Raise ENOSPC where there is none."""
        file = self._file(fd).file_object
        if offset + len > file.st_size:
            file.size = offset + len

    def posix_fadvise(self, fd: int, offset: int, length: int, advice: int) -> None:
        """Heed no advice."""
        self.filesystem.get_open_file(fd)

    def sync(self) -> None:
        """Do nothing: a disk in memory has all at once."""

    def statvfs(self, path: Any) -> os.statvfs_result:
        """Say how much room there is, in blocks of a byte."""
        return self._room_on(self.stat(path).st_dev)

    def fstatvfs(self, fd: int) -> os.statvfs_result:
        """Say how much room there is, in blocks of a byte."""
        return self._room_on(self.fstat(fd).st_dev)

    def pathconf(self, path: Any, name: Any) -> int:
        """Say what the real system says of its root."""
        return int(self.os_module.pathconf("/", name))

    def fpathconf(self, fd: int, name: Any) -> int:
        """Say what the real system says of its root."""
        return int(self.os_module.pathconf("/", name))

    def fchown(self, fd: Any, uid: int, gid: int) -> None:
        """Give a file away."""
        self.chown(fd, uid, gid)

    def lchown(self, path: Any, uid: int, gid: int) -> None:
        """Give a file or symlink away."""
        self.chown(path, uid, gid, follow_symlinks=False)

    def isatty(self, fd: int) -> bool:
        """Return whether it is a terminal, which no file here is."""
        return fd < _STANDARD_STREAMS and bool(self.os_module.isatty(fd))

    def get_inheritable(self, fd: int) -> bool:
        """Return whether processes inherit it, of which there are none."""
        return False

    def set_inheritable(self, fd: int, inheritable: bool) -> None:
        """Do nothing: there are no processes to inherit it."""

    def closerange(self, fd_low: int, fd_high: int, /) -> None:
        """Close what is open of a range."""
        for descriptor in range(fd_low, min(fd_high, len(self.filesystem.open_files))):
            with suppress(OSError):
                self.close(descriptor)

    def _path_with_dir_fd(
        self, path: Any, fct: Any, dir_fd: int | None, check_supported: bool = True
    ) -> Any:
        """Do what pyfakefs does, at once for a mere name in a folder."""
        if type(path) is str and path:
            if dir_fd is None or path.startswith("/"):
                return path
            return f"{path_of(self.filesystem.get_open_file(dir_fd).get_object())}/{path}"
        return super()._path_with_dir_fd(path, fct, dir_fd, check_supported)

    def _file(self, fd: int) -> FakeFileWrapper:
        handle = self.filesystem.get_open_file(fd)
        if not isinstance(handle, FakeFileWrapper):
            self.filesystem.raise_os_error(errno.EBADF)
        return handle

    def _room_on(self, device: int) -> os.statvfs_result:
        total, free = room_on(self.filesystem, device)
        files = 1 << 20
        return os.statvfs_result((4096, 1, total, free, free, files, files, files, 0, 255))

    def __getattr__(self, name: str) -> Any:
        if name in _REFUSED:
            return lambda *args, **kwargs: self.lacking.refuse(f"os.{name}")
        return super().__getattr__(name)


def room_on(filesystem: FakeFilesystem, device: int) -> tuple[int, int]:
    """Return the size of a device, and how much of it is free."""
    for mount in filesystem.mount_points.values():
        if mount["idev"] == device and mount["total_size"] is not None:
            return mount["total_size"], mount["total_size"] - mount["used_size"]
    return _WITHOUT_LIMIT, _WITHOUT_LIMIT


def _fill(buffers: Sequence[Any], data: bytes) -> int:
    done = 0
    for buffer in buffers:
        part = data[done : done + len(buffer)]
        buffer[: len(part)] = part
        done += len(part)
    return done
