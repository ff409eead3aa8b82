"""Other archives that hold the same: other headers, members, orders and tools."""

from __future__ import annotations

import errno
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import (
    Archive,
    Entry,
    RestoreReport,
    corrupted,
)
from mutants.tar_gz import ROOTS, Members


class Pax(Conforming):
    """A pax archive with mtimes to the nanosecond as far as a float goes, at level 9."""

    def header(self, entry: Entry) -> bytes:
        member = tarfile.TarInfo(entry.name)
        member.type = tarfile.DIRTYPE if entry.is_folder else tarfile.REGTYPE
        member.mode, member.mtime, member.size = entry.mode, entry.mtime, len(entry.content)
        return member.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")

    def compress(self, tar: bytes) -> bytes:
        return gzip.compress(tar, 9)


class OwnMembers(Conforming):
    """A manifest of digests is a member of its own, and is verified."""

    manifest = ".mutants/manifest.json"

    def pack(self, entries: Iterable[Entry]) -> bytes:
        entries = list(entries)
        text = json.dumps({entry.name: _digest(entry) for entry in entries})
        return super().pack([*entries, Entry(self.manifest, False, 0o600, 0, text.encode())])

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        entries = super().admitted(archive, members)
        digests = {entry.name: _digest(entry) for entry in entries}
        for member, content in members:
            if member.name == self.manifest and json.loads(content) != digests:
                raise corrupted(archive, "it is not what its manifest says")
        return entries


class NamedGzip(Conforming):
    """The gzip header holds a file name and a time, as that of the gzip program does."""

    def compress(self, tar: bytes) -> bytes:
        file = io.BytesIO()
        with gzip.GzipFile("database.tar", "wb", 6, file) as compressed:
            compressed.write(tar)
        return file.getvalue()


class DotSlash(Conforming):
    """Members are named ./tables/…"""

    def header(self, entry: Entry) -> bytes:
        return super().header(entry._replace(name=f"./{entry.name}"))


class WholeRecords(Conforming):
    """The tar ends with zeros up to a record of 10,240 bytes."""

    def pack(self, entries: Iterable[Entry]) -> bytes:
        tar = super().pack(entries)
        return tar + bytes(-len(tar) % 10_240)


class NoRoots(Conforming):
    """tables/ and indices/ have no members of their own, unless nothing else says that they are."""

    def source(self, base: Path) -> Iterator[Entry]:
        entries = list(super().source(base))
        implied = {entry.name.split("/")[0] for entry in entries if "/" in entry.name}
        return (entry for entry in entries if entry.name not in implied)


class NineBitArchives(Conforming):
    """Files are archived without set-id and sticky bits, so that they come back without."""

    def header(self, entry: Entry) -> bytes:
        mode = entry.mode if entry.is_folder else entry.mode & 0o777
        return super().header(entry._replace(mode=mode))


class HardLinksStay(Conforming):
    """A file with two names is one member and one link, and one file again after a restore."""

    def pack(self, entries: Iterable[Entry]) -> bytes:
        file = io.BytesIO()
        with (
            self.all_tables_locked(self._base),
            tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar,
        ):
            for root in ROOTS:
                if (self._base / root).is_dir():
                    tar.add(self._base / root, root)
        return file.getvalue()

    def source(self, base: Path) -> Iterator[Entry]:
        self._base = base
        return super().source(base)

    def store(self, base: Path, seconds: int) -> Archive:
        list(self.source(base))  # refuses what tarfile would take
        return super().store(base, seconds)

    def write_file(self, path: Path, entry: Entry) -> None:
        target = path.parents[entry.name.count("/")]
        twin = self._written.get(id(entry.content))
        if twin is not None and len(entry.content) > 1:
            os.link(target / twin, path)
        else:
            super().write_file(path, entry)
            self._written[id(entry.content)] = entry.name

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        self._written: dict[int, str] = {}
        super().write_entries(target, entries)

    def report(self, entries: list[Entry], elapsed_ns: int) -> RestoreReport:
        once = {(id(e.content), len(e.content) > 1 or e.name): len(e.content) for e in entries}
        return super().report(entries, elapsed_ns)._replace(total_bytes=sum(once.values()))


class CallsTar(Conforming):
    """The programs tar and gzip do the work, as in a shell script."""

    def store(self, base: Path, seconds: int) -> Archive:
        list(self.source(base))
        return super().store(base, seconds)

    def source(self, base: Path) -> Iterator[Entry]:
        self._base = base
        return super().source(base)

    def pack(self, entries: Iterable[Entry]) -> bytes:
        roots = [root for root in ROOTS if (self._base / root).is_dir()]
        with self.all_tables_locked(self._base):
            return _run("tar", "cf", "-", "-C", str(self._base), *roots)

    def compress(self, tar: bytes) -> bytes:
        return _run("gzip", "-c", stdin=tar)

    def decompress(self, archive: Archive) -> bytes:
        tested = subprocess.run(
            ["gzip", "-dc", str(archive.path)], capture_output=True, check=False
        )
        if tested.returncode or tested.stderr:
            raise corrupted(archive, tested.stderr.decode("utf-8", "replace"))
        return tested.stdout

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        """tar unpacks what was admitted, read again from a file of its own."""
        target.mkdir()
        with tempfile.NamedTemporaryFile() as packed:
            packed.write(Conforming.pack(self, entries))
            packed.flush()
            _run("tar", "xpf", packed.name, "-C", str(target))
        for path in [target, *target.rglob("*")]:
            self.sync(path)


def _run(*command: str, stdin: bytes = b"") -> bytes:
    ended = subprocess.run(command, input=stdin, capture_output=True, check=False)
    if ended.returncode:
        raise OSError(errno.EIO, f"{command[0]}: {ended.stderr.decode('utf-8', 'replace')}")
    return ended.stdout


def _digest(entry: Entry) -> str:
    return hashlib.sha256(entry.content).hexdigest()
