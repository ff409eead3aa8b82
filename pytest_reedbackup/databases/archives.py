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
from pathlib import Path

from pytest_reedbackup.model.failures import BrokenPromise, Cause
from pytest_reedbackup.views.base import ROOTS
from pytest_reedbackup.views.tree import ROOT, Entry, Tree

_GZIP = 31
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


def pack(base: Path, archive: Path, *, tar_format: int = tarfile.GNU_FORMAT) -> Path:
    """Make a plain tar.gz of a base's tables/ and indices/, as `tar czf` would.

    The same tree gives the same bytes, whoever packs it when. With a format of
    `tarfile.PAX_FORMAT` every member has a pax header, which holds its mtime.
    """
    archive.parent.mkdir(parents=True, exist_ok=True)
    with (
        gzip.GzipFile(archive, "wb", mtime=0) as plain,
        tarfile.open(
            fileobj=plain, mode="w", format=tar_format, encoding="utf-8", errors="surrogateescape"
        ) as tar,
    ):
        for root in ROOTS:
            if (base / root).is_dir():
                tar.add(base / root, root, filter=_nobodys)
    return archive


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Return the member without owner, and of a whole second, as tar's own format has it."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.pax_headers = {"mtime": str(member.mtime)}
    member.mtime = int(member.mtime)
    return member


def pack_members(archive: Path, members: Iterable[tuple[tarfile.TarInfo, bytes]]) -> Path:
    """Make a tar.gz of just these members, hostile or not."""
    archive.parent.mkdir(parents=True, exist_ok=True)
    blocks = []
    for member, data in members:
        blocks.append(member.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"))
        blocks.append(data + bytes(-len(data) % tarfile.BLOCKSIZE))
    archive.write_bytes(gzip.compress(b"".join(blocks) + bytes(2 * tarfile.BLOCKSIZE), mtime=0))
    return archive


def with_full_header(content: bytes) -> bytes:
    """Return a gzip member with an extra field, a name and a comment in its header (RFC 1952)."""
    extra = b"rb" + (4).to_bytes(2, "little") + b"more"
    header = content[:3] + bytes([0x04 | 0x08 | 0x10]) + content[4:10]
    header += len(extra).to_bytes(2, "little") + extra + b"database.tar\0" + b"of others\0"
    return header + content[data_offset(content) :]


def file_member(name: str, content: bytes = b"") -> tuple[tarfile.TarInfo, bytes]:
    """Return a regular file for `pack_members`."""
    member = tarfile.TarInfo(name)
    member.size = len(content)
    return member, content


def folder_member(name: str) -> tuple[tarfile.TarInfo, bytes]:
    """Return a folder for `pack_members`."""
    member = tarfile.TarInfo(name)
    member.type, member.mode = tarfile.DIRTYPE, 0o755
    return member, b""


def special_member(name: str, kind: bytes, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
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
