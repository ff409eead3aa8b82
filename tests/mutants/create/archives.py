"""Mutants in the archive file itself: its place, its form, its size."""

from __future__ import annotations

import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Archive, BackupInfo, Entry
from mutants.tar_gz import Members


class NotCompressed(Conforming):
    """The archive is a bare tar under the name of a tar.gz."""

    breaks = "create/archive"

    def compress(self, tar: bytes) -> bytes:
        return tar

    def decompress(self, archive: Archive) -> bytes:
        return archive.path.read_bytes()


class Xz(Conforming):
    """The archive is compressed, but by xz."""

    breaks = "create/archive"

    def compress(self, tar: bytes) -> bytes:
        return lzma.compress(tar, preset=0)

    def decompress(self, archive: Archive) -> bytes:
        return lzma.decompress(archive.path.read_bytes())


class TwoMembers(Conforming):
    """The archive is two gzip members in a row, of which Rust's GzDecoder reads one."""

    breaks = "create/archive"

    def compress(self, tar: bytes) -> bytes:
        return gzip.compress(tar[:1024]) + gzip.compress(tar[1024:])

    def decompress(self, archive: Archive) -> bytes:
        return gzip.decompress(archive.path.read_bytes())


class BytesAfterTheEnd(Conforming):
    """The archive is padded with zeros after its gzip member."""

    breaks = "create/archive"

    def compress(self, tar: bytes) -> bytes:
        return super().compress(tar) + bytes(512)

    def decompress(self, archive: Archive) -> bytes:
        return gzip.decompress(archive.path.read_bytes())


class NoChecksum(Conforming):
    """The gzip trailer is never filled in."""

    breaks = "create/archive"

    def compress(self, tar: bytes) -> bytes:
        return super().compress(tar)[:-8] + bytes(8)

    def decompress(self, archive: Archive) -> bytes:
        return zlib.decompressobj(31).decompress(archive.path.read_bytes()[:-8])


class Zip(Conforming):
    """Within the gzip member is a zip, not a tar."""

    breaks = "create/archive"

    def pack(self, entries: Iterable[Entry]) -> bytes:
        file = io.BytesIO()
        with zipfile.ZipFile(file, "w") as archive_file:
            for entry in entries:
                if not entry.is_folder:
                    archive_file.writestr(entry.name, entry.content)
        return file.getvalue()

    def unpack(self, archive: Archive, data: bytes) -> Members:
        with zipfile.ZipFile(io.BytesIO(data)) as archive_file:
            for name in archive_file.namelist():
                yield tarfile.TarInfo(name), archive_file.read(name)


class BaseNameInFront(Conforming):
    """Members are named .reed/tables/…, as `tar czf X -C PARENT .reed` names them."""

    breaks = "create/archive"

    def header(self, entry: Entry) -> bytes:
        return super().header(entry._replace(name=f".reed/{entry.name}"))

    def unpack(self, archive: Archive, data: bytes) -> Members:
        for member, content in super().unpack(archive, data):
            member.name = member.name.removeprefix(".reed/")
            yield member, content


class AnotherSuffix(Conforming):
    """The archive is named {id}.tgz."""

    breaks = "create/archive"

    def store(self, base: Path, seconds: int) -> Archive:
        made = super().store(base, seconds)
        path = made.path.with_name(f"{made.id}.tgz")
        return made._replace(path=made.path.rename(path))


class AnotherFolder(Conforming):
    """The archive is written to backups/{year}/."""

    breaks = "create/archive"

    def store(self, base: Path, seconds: int) -> Archive:
        made = super().store(base, seconds)
        folder = made.path.parent / "2026"
        folder.mkdir(exist_ok=True)
        return made._replace(path=made.path.rename(folder / made.path.name))


class IdWithSuffix(Conforming):
    """The id that create returns still has its .tar.gz."""

    breaks = "create/archive"

    def info_of(self, archive: Archive) -> BackupInfo | None:
        info = super().info_of(archive)
        return info and info._replace(id=archive.path.name)


class NothingWritten(Conforming):
    """Create reports success, and its archive is gone."""

    breaks = "create/archive"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        made = super().create_backup(base_path, now_ns)
        assert made is not None
        (Path(base_path) / "backups" / f"{made.id}.tar.gz").unlink()
        return made


class StoredNotDeflated(Conforming):
    """The gzip member is sound, and compresses nothing."""

    breaks = "create/compression"

    def compress(self, tar: bytes) -> bytes:
        return gzip.compress(tar, 0)


class NeedsIndices(Conforming):
    """A database without indices/ is refused."""

    breaks = "create/no-indices"

    def require_tables(self, base: Path) -> None:
        super().require_tables(base)
        (base / "indices").stat()


class MakesIndices(Conforming):
    """Restore leaves an empty indices/ where the backup had none."""

    breaks = "create/no-indices"

    def install(self, base: Path, entries: list[Entry]) -> None:
        super().install(base, entries)
        (base / "indices").mkdir(exist_ok=True)
