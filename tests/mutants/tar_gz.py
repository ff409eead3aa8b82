"""The archive of the conforming implementation: one gzip member holding a GNU tar, in memory."""

from __future__ import annotations

import gzip
import io
import os
import stat
import tarfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from mutants.model import Archive, Entry, ReedError, corrupted, unsafe

ROOTS = ("tables", "indices")

Members = Iterable[tuple[tarfile.TarInfo, bytes]]
"""A tar's members as they stand there, with their contents."""


class TarGz:
    """How a database becomes an archive, and an archive a database."""

    # Packing -----------------------------------------------------------------

    def source(self, base: Path) -> Iterator[Entry]:
        for root in ROOTS:
            if (base / root).is_symlink():
                yield from self.special(base / root, root)
            elif (base / root).is_dir():
                yield from self.walk(base / root, root)

    def walk(self, path: Path, name: str) -> Iterator[Entry]:
        """A folder and all below it, in the order of names."""
        yield self.entry(path, name)
        with os.scandir(path) as entries:
            children = sorted(entries, key=lambda child: child.name)
        for child in children:
            child_name = f"{name}/{child.name}"
            if child.is_dir(follow_symlinks=False):
                yield from self.walk(path / child.name, child_name)
            elif child.is_file(follow_symlinks=False):
                yield self.entry(path / child.name, child_name)
            else:
                yield from self.special(path / child.name, child_name)

    def special(self, path: Path, name: str) -> Iterator[Entry]:
        raise ReedError("BackupUnsafe", f"{name} is neither a file nor a folder", path=name)

    def entry(self, path: Path, name: str) -> Entry:
        status = path.stat()
        is_folder = stat.S_ISDIR(status.st_mode)
        content = b"" if is_folder else path.read_bytes()
        return Entry(name, is_folder, stat.S_IMODE(status.st_mode), status.st_mtime, content)

    def pack(self, entries: Iterable[Entry]) -> bytes:
        """The plain tar."""
        blocks = []
        for entry in entries:
            blocks += [self.header(entry), entry.content, bytes(-len(entry.content) % 512)]
        return b"".join(blocks) + bytes(1024)

    def header(self, entry: Entry) -> bytes:
        member = tarfile.TarInfo(entry.name)
        member.type = tarfile.DIRTYPE if entry.is_folder else tarfile.REGTYPE
        member.mode, member.mtime, member.size = entry.mode, entry.mtime // 1, len(entry.content)
        return member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")

    def compress(self, tar: bytes) -> bytes:
        return gzip.compress(tar, 6)

    # Unpacking ---------------------------------------------------------------

    def read(self, archive: Archive) -> list[Entry]:
        """All of a backup, verified."""
        return self.admitted(archive, self.unpack(archive, self.decompress(archive)))

    def decompress(self, archive: Archive) -> bytes:
        inflate = zlib.decompressobj(31)  # checks the CRC and the length at the end
        try:
            tar = inflate.decompress(archive.path.read_bytes())
        except zlib.error as error:
            raise corrupted(archive, str(error)) from error
        if not inflate.eof or inflate.unused_data:
            raise corrupted(archive, "it is not just one whole gzip member")
        return tar

    def unpack(self, archive: Archive, data: bytes) -> Members:
        """Every member of a whole tar, with its content."""
        members = []
        try:
            with tarfile.open(fileobj=io.BytesIO(data), mode="r:", encoding="utf-8") as tar:
                while member := tar.next():
                    if not 0 <= member.size <= len(data):
                        raise corrupted(archive, f"{member.name} claims {member.size} bytes")
                    # What a link leads to is for `admitted` to say.
                    file = tar.extractfile(member) if member.isreg() else None
                    members.append((member, file.read() if file else b""))
                rest = data[tar.offset :]
        except tarfile.TarError as error:
            raise corrupted(archive, str(error)) from error
        if rest.strip(b"\0"):
            raise corrupted(archive, "a header is damaged")
        return members

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        """Files and folders of tables/ and indices/; nothing that reaches out of them."""
        entries: dict[str, Entry] = {}
        for member, content in members:
            parts = member.name.split("/")
            name = "/".join(part for part in parts if part not in ("", "."))
            if member.name.startswith("/") or ".." in parts:
                raise unsafe(member.name, "leads out of the database")
            if member.islnk():
                content = self.link_target(entries, member).content
            elif not member.isreg() and not member.isdir():
                raise unsafe(member.name, "is neither a file nor a folder")
            if name in entries and not (member.isdir() and entries[name].is_folder):
                raise unsafe(member.name, "is there twice")
            if name.split("/")[0] in ROOTS:
                entries[name] = Entry(name, member.isdir(), member.mode, member.mtime, content)
        if not any(name.split("/")[0] == "tables" for name in entries):
            raise corrupted(archive, "it holds no tables/")
        return list(entries.values())

    def link_target(self, entries: dict[str, Entry], member: tarfile.TarInfo) -> Entry:
        target = entries.get(member.linkname.removeprefix("./"))
        if target is None or target.is_folder:
            raise unsafe(member.name, f"is a link to {member.linkname}, which is no file before it")
        return target
