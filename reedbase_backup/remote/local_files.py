"""The files of a folder of this machine: another disk, a mounted share, a base's backups/."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator

from reedbase_backup.disk.durable import NO_HARD_LINKS, sync, sync_file, write_all
from reedbase_backup.disk.existence import folder_exists, name_exists
from reedbase_backup.disk.folders import close
from reedbase_backup.disk.sharing import PRIVATE_FILE, PRIVATE_FOLDER
from reedbase_backup.remote.stores import CHUNK

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_FILL = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LocalFiles:
    """The files of the folder at `path`, as Files."""

    def __init__(self, path: str) -> None:
        self._path = path

    def sizes(self) -> dict[str, int]:
        """Do as Files."""
        if not folder_exists(self._path):
            if name_exists(self._path):
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), self._path)
            return {}
        found = {}
        with os.scandir(self._path) as entries:
            for entry in entries:
                try:
                    if entry.is_file(follow_symlinks=False):
                        found[entry.name] = entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:
                    continue
        return found

    def make_folder(self) -> None:
        """Do as Files."""
        if not folder_exists(self._path):
            try:
                os.mkdir(self._path, PRIVATE_FOLDER)
            except FileExistsError:
                return
            sync_file(os.path.dirname(self._path))

    def read(self, name: str, offset: int) -> Iterator[bytes]:
        """Do as Files."""
        descriptor = os.open(self._at(name), _READ)
        try:
            while chunk := os.pread(descriptor, CHUNK, offset):
                yield chunk
                offset += len(chunk)
        finally:
            close(descriptor)

    def write(self, name: str, offset: int, chunks: Iterable[bytes], size: int) -> None:
        """Do as Files."""
        descriptor = os.open(self._at(name), _FILL, PRIVATE_FILE)
        try:
            os.lseek(descriptor, offset, os.SEEK_SET)
            for chunk in chunks:
                write_all(descriptor, chunk)
            if os.fstat(descriptor).st_size > size:
                os.ftruncate(descriptor, size)
            sync(descriptor)
        finally:
            # Another file system may tell only now that there was no room.
            os.close(descriptor)

    def rename_to_free(self, name: str, wanted: str) -> None:
        """Do as Files."""
        path, target = self._at(name), self._at(wanted)
        # A link, unlike a rename, fails where the name is taken.
        try:
            os.link(path, target)
        except OSError as error:
            if error.errno not in NO_HARD_LINKS:
                raise
            if name_exists(target):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from error
            os.rename(path, target)
        else:
            os.unlink(path)
        sync_file(self._path)

    def rename_over(self, name: str, wanted: str) -> None:
        """Do as Files."""
        os.replace(self._at(name), self._at(wanted))
        sync_file(self._path)

    def remove(self, name: str) -> None:
        """Do as Files."""
        os.unlink(self._at(name))

    def _at(self, name: str) -> str:
        return os.path.join(self._path, name)
