"""The files of a folder on an SFTP server, by sshfs and the asyncssh below it.

fsspec's own interface has no rename that spares what has the name, no writing into the middle of
a file and no fsync; SFTP has.
"""

from __future__ import annotations

import stat
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

from fsspec.asyn import sync

from reedbase_backup.disk.sharing import PRIVATE_FILE, PRIVATE_FOLDER
from reedbase_backup.remote.stores import CHUNK


class SftpFiles:
    """The files of the folder `path`, by an fsspec file system of sshfs, as Files."""

    def __init__(self, file_system: Any, path: str) -> None:
        import asyncssh

        self._ssh = asyncssh
        # The connection ends with it.
        self._file_system = file_system
        self._path = path
        self._sftp = self._wait(file_system.client.start_sftp_client)

    def sizes(self) -> dict[str, int]:
        """Do as Files."""
        try:
            entries = self._wait(self._sftp.readdir, self._path)
        except FileNotFoundError:
            return {}
        return {
            entry.filename: entry.attrs.size
            for entry in entries
            if stat.S_ISREG(entry.attrs.permissions or 0)
        }

    def make_folder(self) -> None:
        """Do as Files."""
        if self._wait(self._sftp.isdir, self._path):
            return
        try:
            self._wait(self._sftp.mkdir, self._path, self._attributes(PRIVATE_FOLDER))
        except self._ssh.SFTPError:
            # Another copy may just have made it.
            if not self._wait(self._sftp.isdir, self._path):
                raise

    def read(self, name: str, offset: int) -> Iterator[bytes]:
        """Do as Files."""
        file = self._wait(self._sftp.open, self._at(name), "rb")
        try:
            while chunk := self._wait(file.read, CHUNK, offset):
                yield chunk
                offset += len(chunk)
        finally:
            self._wait(file.close)

    def write(self, name: str, offset: int, chunks: Iterable[bytes], size: int) -> None:
        """Do as Files."""
        flags = self._ssh.FXF_WRITE | self._ssh.FXF_CREAT
        file = self._wait(
            self._sftp.open, self._at(name), flags, self._attributes(PRIVATE_FILE), encoding=None
        )
        try:
            for chunk in chunks:
                self._wait(file.write, chunk, offset)
                offset += len(chunk)
            if self._wait(file.stat).size > size:
                self._wait(file.truncate, size)
            # An extension of OpenSSH's; elsewhere the server decides.
            with suppress(self._ssh.SFTPOpUnsupported):
                self._wait(file.fsync)
        finally:
            self._wait(file.close)

    def rename_to_free(self, name: str, wanted: str) -> None:
        """Do as Files."""
        try:
            # What replaces another file is another call, posix-rename.
            self._wait(self._sftp.rename, self._at(name), self._at(wanted))
        except (self._ssh.SFTPFailure, self._ssh.SFTPFileAlreadyExists) as error:
            if self._wait(self._sftp.lexists, self._at(wanted)):
                raise FileExistsError(wanted) from error
            raise

    def rename_over(self, name: str, wanted: str) -> None:
        """Do as Files."""
        try:
            self._wait(self._sftp.posix_rename, self._at(name), self._at(wanted))
        except self._ssh.SFTPOpUnsupported:
            if self._wait(self._sftp.lexists, self._at(wanted)):
                self.remove(wanted)
            self._wait(self._sftp.rename, self._at(name), self._at(wanted))

    def remove(self, name: str) -> None:
        """Do as Files."""
        self._wait(self._sftp.remove, self._at(name))

    def _at(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}"

    def _attributes(self, mode: int) -> Any:
        return self._ssh.SFTPAttrs(permissions=mode)

    def _wait(self, call: Callable[..., Awaitable[Any]], *given: Any, **named: Any) -> Any:
        """Return what an asynchronous call comes to."""

        async def made() -> Any:
            return await call(*given, **named)

        try:
            return sync(self._file_system.loop, made)
        except (self._ssh.SFTPNoSuchFile, self._ssh.SFTPNoSuchPath) as error:
            raise FileNotFoundError(error.reason) from error
