"""Archives as an outsider sees them: read, made and damaged with the standard library only.

Nothing of the reference is used here, so that it is judged by a stranger.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import stat
import struct
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Literal, TypeAlias

from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.views.base import ROOTS, roots_in
from pytest_reedbackup.views.tree import ROOT, Entry, Tree

Member: TypeAlias = tuple[tarfile.TarInfo, bytes]
"""A member of a tar, and its content."""

TarFormat: TypeAlias = Literal[0, 1, 2]
"""A format of tarfile's: USTAR_FORMAT, GNU_FORMAT or PAX_FORMAT."""

_GZIP = 31
_MOST_REMEMBERED = 1 << 20
_WHOLE_SECOND_NS = 10**9
# What tarfile raises for data in memory: numbers and text that are none, links that lead nowhere
# or to each other, headers that go on without end.
_MALFORMED = (
    tarfile.TarError,
    EOFError,
    IndexError,
    KeyError,
    OverflowError,
    RecursionError,
    ValueError,
    struct.error,
)


def decompress_one_member(archive: Path) -> bytes:
    """Return the tar inside an archive, which must be exactly one sound gzip member."""
    content = archive.read_bytes()
    inflate = zlib.decompressobj(_GZIP)
    try:
        data = inflate.decompress(content)
    except zlib.error as error:
        raise BrokenPromise(
            f"{archive.name} as gzip",
            expected="one sound gzip member",
            found=str(error),
            cause=Cause.ARCHIVE,
        ) from error
    if not inflate.eof:
        raise BrokenPromise(
            f"{archive.name} as gzip",
            expected="one whole gzip member",
            found="an end too early",
            cause=Cause.ARCHIVE,
        )
    if inflate.unused_data:
        raise BrokenPromise(
            f"{archive.name} as gzip",
            expected="one gzip member and nothing else",
            found=f"{len(inflate.unused_data)} bytes after its end",
            cause=Cause.ARCHIVE,
        )
    return data


def read_members(archive: Path) -> list[tarfile.TarInfo]:
    """Return the members of an archive, in order, extension headers applied."""
    with _reading(archive) as tar:
        return tar.getmembers()


def read_tree(archive: Path) -> Tree:
    """Return what an archive holds of tables/ and indices/, as a tree on disk."""
    with _reading(archive) as tar:
        return _tree(tar, archive.name)


def _tree(tar: tarfile.TarFile, archive: str) -> Tree:
    entries: dict[str, Entry] = {}
    for member in tar:
        name = normal_name(member)
        if name.split("/")[0] in ROOTS:
            if name in entries and not member.isdir():
                raise BrokenPromise(
                    f"the members of {archive}",
                    expected="every file once",
                    found=f"{name} a second time",
                    cause=Cause.ARCHIVE,
                )
            entries[name] = _entry(tar, member)
    return Tree(entries)


def tree_in(content: bytes) -> Tree | None:
    """Return what Python's gzip and tarfile find in an archive's content.

    None where it is no sound archive to them: more of it than padding follows the end, for one.
    """
    try:
        data = gzip.decompress(content)
        with tarfile.open(
            fileobj=io.BytesIO(data), mode="r:", encoding="utf-8", errors="surrogateescape"
        ) as tar:
            tree = _tree(tar, "an archive")
            return None if data[tar.offset :].strip(b"\0") else tree
    except (OSError, zlib.error, BrokenPromise, *_MALFORMED):
        return None


def read_files(archive: Path, folder: str) -> dict[str, bytes]:
    """Return the contents of the files directly in `folder`, as in tables/text, by name."""
    files: dict[str, bytes] = {}
    with _reading(archive) as tar:
        for member in tar:
            above, _, name = normal_name(member).rpartition("/")
            if above == folder and (file := tar.extractfile(member)) is not None:
                files[name] = file.read()
    return files


def read_folder(archive: Path, folder: str) -> Tree:
    """Return what an archive holds of the folder `folder` at its top, by names relative to it."""
    entries: dict[str, Entry] = {}
    with _reading(archive) as tar:
        for member in tar:
            top, _, name = normal_name(member).partition("/")
            if top == folder:
                entries[name or ROOT] = _entry(tar, member)
    return Tree(entries)


def normal_name(member: tarfile.TarInfo) -> str:
    """Return a member's name without `./` and a trailing slash."""
    return member.name.removeprefix("./").rstrip("/")


@contextmanager
def _reading(archive: Path) -> Iterator[tarfile.TarFile]:
    """Yield the tar inside an archive; whatever cannot be read of it is its maker's fault."""
    data = decompress_one_member(archive)
    try:
        with tarfile.open(
            fileobj=io.BytesIO(data), mode="r:", encoding="utf-8", errors="surrogateescape"
        ) as tar:
            yield tar
    except _MALFORMED as error:
        fault = f"{type(error).__name__}: {error}"
        raise BrokenPromise(
            f"{archive.name} as tar", expected="a plain tar", found=fault, cause=Cause.ARCHIVE
        ) from error


def _entry(tar: tarfile.TarFile, member: tarfile.TarInfo) -> Entry:
    mtime_ns = int(member.mtime * _WHOLE_SECOND_NS)
    if member.isdir():
        return Entry("folder", member.mode, 0, mtime_ns, "")
    if member.issym():
        return Entry("symlink", member.mode, 0, mtime_ns, member.linkname)
    file = tar.extractfile(member) if member.isreg() or member.islnk() else None
    if file is None:
        return Entry(f"member of type {member.type!r}", member.mode, 0, mtime_ns, "")
    content = file.read()
    return Entry("file", member.mode, len(content), mtime_ns, hashlib.sha256(content).hexdigest())


def pack(base: Path, archive: Path, *, tar_format: TarFormat = tarfile.GNU_FORMAT) -> Path:
    """Make a plain tar.gz of a base's tables/ and indices/, as `tar czf` would.

    The same tree gives the same bytes, whoever packs it when. With a format of
    `tarfile.PAX_FORMAT` every member has a pax header, which holds its mtime.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    first_names: dict[tuple[int, int], str] = {}
    members = [_members(f"{base / root}", root, first_names) for root in roots_in(base)]
    data = _tar(chain.from_iterable(members), tar_format)
    member = _compressed(data + bytes(-len(data) % tarfile.RECORDSIZE))
    archive.write_bytes(_gzip_header(archive.name) + member[data_offset(member) :])
    return archive


def pack_members(archive: Path, members: Iterable[Member]) -> Path:
    """Make a tar.gz of just these members, hostile or not."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    archive.write_bytes(_compressed(_tar(members, tarfile.GNU_FORMAT)))
    return archive


def _members(path: str, name: str, first_names: dict[tuple[int, int], str]) -> Iterator[Member]:
    """Yield a file, or a folder and all in it, by name, without owners and of whole seconds.

    What has several names is a link to the first of them. `tarfile.add` does that in three
    times the time, for it looks up each owner's name.
    """
    status = os.lstat(path)
    member = tarfile.TarInfo(name)
    member.mode, member.mtime = stat.S_IMODE(status.st_mode), int(status.st_mtime)
    member.pax_headers = {"mtime": str(status.st_mtime)}
    if stat.S_ISDIR(status.st_mode):
        member.type = tarfile.DIRTYPE
        yield member, b""
        for child in sorted(os.listdir(path)):
            yield from _members(f"{path}/{child}", f"{name}/{child}", first_names)
        return
    content = b""
    first_name = first_names.setdefault((status.st_dev, status.st_ino), name)
    if stat.S_ISLNK(status.st_mode):
        member.type, member.linkname = tarfile.SYMTYPE, os.readlink(path)
    elif first_name != name:
        member.type, member.linkname = tarfile.LNKTYPE, first_name
    elif stat.S_ISREG(status.st_mode):
        content = Path(path).read_bytes()
        member.size = len(content)
    else:
        raise ValueError(f"{path} is no file, folder or symlink")
    yield member, content


def _tar(members: Iterable[Member], tar_format: TarFormat) -> bytes:
    blocks = []
    for member, content in members:
        blocks.append(member.tobuf(tar_format, "utf-8", "surrogateescape"))
        blocks.append(content + bytes(-len(content) % tarfile.BLOCKSIZE))
    return b"".join(blocks) + bytes(2 * tarfile.BLOCKSIZE)


def _compressed(data: bytes) -> bytes:
    """Return `data` as a gzip member of the highest level, which takes its time."""
    return _remembered(data) if len(data) <= _MOST_REMEMBERED else gzip.compress(data, mtime=0)


@lru_cache(maxsize=8)
def _remembered(data: bytes) -> bytes:
    # Most tests pack the same small database.
    return gzip.compress(data, mtime=0)


def _gzip_header(name: str) -> bytes:
    """Return the header of a gzip member that says what the file's name was without `.gz`."""
    file = io.BytesIO()
    with gzip.GzipFile(name, "wb", fileobj=file, mtime=0):
        pass
    member = file.getvalue()
    return member[: data_offset(member)]


def with_full_header(content: bytes) -> bytes:
    """Return a gzip member with an extra field, a name and a comment in its header (RFC 1952)."""
    extra = b"rb" + (4).to_bytes(2, "little") + b"more"
    header = content[:3] + bytes([0x04 | 0x08 | 0x10]) + content[4:10]
    header += len(extra).to_bytes(2, "little") + extra + b"database.tar\0" + b"of others\0"
    return header + content[data_offset(content) :]


def file_member(name: str, content: bytes = b"") -> Member:
    """Return a regular file for `pack_members`."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def folder_member(name: str) -> Member:
    """Return a folder for `pack_members`."""
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member, b""


def special_member(name: str, kind: bytes, link: str = "") -> Member:
    """Return a link, FIFO or device for `pack_members`."""
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, link
    return member, b""


def data_offset(content: bytes) -> int:
    """Return where the compressed data of a gzip member begins.

    What stands before it (a time, a name) is covered by no checksum.
    """
    flags, at = content[3], 10
    if flags & 0x04:
        at += 2 + int.from_bytes(content[at : at + 2], "little")
    for flag in (0x08, 0x10):
        if flags & flag:
            at = content.index(b"\0", at) + 1
    return at + 2 if flags & 0x02 else at


UNREADABLE: Mapping[str, Callable[[bytes], bytes]] = {
    "empty": lambda sound: b"",
    "text": lambda sound: b"this is no archive\n",
    "zeros": lambda sound: bytes(1024),
    "gzip-magic-only": lambda sound: sound[:3],
    "cut-in-the-gzip-header": lambda sound: sound[:9],
    "cut-after-the-gzip-header": lambda sound: sound[:12],
}
"""What cannot be a complete backup, made from a sound archive's content."""


def mode_of(path: Path) -> int:
    """Return the permission bits of what is at `path`."""
    return stat.S_IMODE(os.lstat(path).st_mode)
