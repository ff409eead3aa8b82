"""Mutants in damaged archives: not noticed, noticed too late, or not said."""

from __future__ import annotations

import shutil
import zlib
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import SUFFIX, Archive, BackupInfo, ReedError, RestoreReport, corrupted
from mutants.tar_gz import Members


class NoChecksum(Conforming):
    """The checksum is passed over, as tarfile does: 97 % of flipped bits go unnoticed."""

    breaks = "restore/corrupt"

    def decompress(self, archive: Archive) -> bytes:
        try:
            return super().decompress(archive)
        except ReedError:
            content = archive.path.read_bytes()
            try:
                return zlib.decompressobj(-15).decompress(content[10:-8])
            except zlib.error:
                raise corrupted(archive, "damaged") from None


class NoLength(Conforming):
    """The checksum is verified, but not that the archive ends where it should."""

    breaks = "restore/corrupt"

    def decompress(self, archive: Archive) -> bytes:
        inflate = zlib.decompressobj(31)
        try:
            return inflate.decompress(archive.path.read_bytes())
        except zlib.error:
            raise corrupted(archive, "damaged") from None


class RestoresWhatIsLeft(Conforming):
    """Of a damaged archive, the files before the damage are restored."""

    breaks = "restore/corrupt"

    def decompress(self, archive: Archive) -> bytes:
        inflate, content, tar = zlib.decompressobj(31), archive.path.read_bytes(), b""
        try:
            for byte in range(0, len(content), 64):
                tar += inflate.decompress(content[byte : byte + 64])
        except zlib.error:
            pass
        return tar

    def unpack(self, archive: Archive, data: bytes) -> Members:
        return super().unpack(archive, data + bytes(-len(data) % 512 + 1024))


class FallsBack(Conforming):
    """Where the backup to take is damaged, the one before is restored."""

    breaks = "restore/corrupt"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        return super().pick([a for a in archives if self.info_of(a)], target)


class FallsBackFromEmptyFiles(Conforming):
    """An empty file under an archive's name is passed over when a backup is picked."""

    breaks = "restore/corrupt"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        return super().pick([a for a in archives if a.path.stat().st_size], target)


class FallsBackFromNoGzip(Conforming):
    """What is no gzip is passed over when a backup is picked, because list leaves it out."""

    breaks = "restore/corrupt"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        gzips = [a for a in archives if a.path.read_bytes()[:2] in (b"\x1f\x8b", b"")]
        return super().pick(gzips, target)


class _HarmsWhenRefusing(Conforming):
    """A damaged archive is refused, and something is harmed besides."""

    breaks = "restore/corrupt"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        try:
            return super().restore_point_in_time(base_path, target_timestamp)
        except ReedError as error:
            if error.kind == "BackupCorrupted":
                self.harm(Path(base_path), error)
            raise

    def harm(self, base: Path, error: ReedError) -> None:
        raise NotImplementedError


class ClearsFirst(_HarmsWhenRefusing):
    """The live trees are removed before the archive is verified."""

    def harm(self, base: Path, error: ReedError) -> None:
        shutil.rmtree(base / "tables", ignore_errors=True)


class VerifiesLast(_HarmsWhenRefusing):
    """The files before the damage are in the live tree by the time it is noticed."""

    def harm(self, base: Path, error: ReedError) -> None:
        live = next(base.glob("tables/*/current.csv"))
        live.write_text("key|value\n")


class CorruptedIsIoError(Conforming):
    """A damaged archive is an IoError."""

    breaks = "restore/corrupt"

    def decompress(self, archive: Archive) -> bytes:
        try:
            return super().decompress(archive)
        except ReedError as error:
            raise ReedError("IoError", str(error), reason=str(error)) from error


class CorruptedIsUnnamed(Conforming):
    """BackupCorrupted does not say which archive."""

    breaks = "restore/corrupt"

    def decompress(self, archive: Archive) -> bytes:
        try:
            return super().decompress(archive)
        except ReedError as error:
            raise ReedError("BackupCorrupted", "the archive is damaged") from error


class CorruptedNamesTheNewest(Conforming):
    """BackupCorrupted names the newest archive, whichever was damaged."""

    breaks = "restore/corrupt"

    def decompress(self, archive: Archive) -> bytes:
        try:
            return super().decompress(archive)
        except ReedError as error:
            newest = max(archive.path.parent.glob(f"*{SUFFIX}")).name
            raise ReedError("BackupCorrupted", newest, archive=newest) from error


class Quarantines(_HarmsWhenRefusing):
    """A damaged archive is renamed."""

    def harm(self, base: Path, error: ReedError) -> None:
        path = base / "backups" / error.fields["archive"]
        path.rename(path.with_suffix(".damaged"))


class LeavesStaging(_HarmsWhenRefusing):
    """A refused restore leaves what it had unpacked by then."""

    def harm(self, base: Path, error: ReedError) -> None:
        (base / ".staging").mkdir(exist_ok=True)


class TrustsTheGzip(Conforming):
    """Where the checksum is right, a tar that ends within a file is taken for whole."""

    breaks = "restore/corrupt"

    def unpack(self, archive: Archive, data: bytes) -> Members:
        return super().unpack(archive, data + bytes(4096))


class OnlyOwnArchives(Conforming):
    """What others packed is not restored, for it holds no mark of ours."""

    breaks = "restore/foreign-archive"

    def pick(self, archives: list[Archive], target: int) -> Archive:
        picked = super().pick(archives, target)
        if not picked.sequence:
            raise corrupted(picked, "it holds no mark of ours")
        return picked


class ListsOnlyOwnArchives(Conforming):
    """What others packed is restored, but not listed."""

    breaks = "restore/foreign-archive"

    def info_of(self, archive: Archive) -> BackupInfo | None:
        return super().info_of(archive) if archive.sequence else None


class OnlyUstar(Conforming):
    """An archive with pax headers is refused."""

    breaks = "restore/foreign-archive"

    def unpack(self, archive: Archive, data: bytes) -> Members:
        for member, content in super().unpack(archive, data):
            if member.pax_headers:
                raise corrupted(archive, "damaged")
            yield member, content


class OnlyShortNames(Conforming):
    """GNU's long names in an archive of others are cut."""

    breaks = "restore/foreign-archive"

    def unpack(self, archive: Archive, data: bytes) -> Members:
        for member, content in super().unpack(archive, data):
            if not archive.sequence:
                member.name = member.name[:100]
            yield member, content


class NoHardLinks(Conforming):
    """A hard link in an archive of others is passed over."""

    breaks = "restore/foreign-archive"

    def unpack(self, archive: Archive, data: bytes) -> Members:
        return [item for item in super().unpack(archive, data) if not item[0].islnk()]
