"""Members of an archive: folders and files as they are written, and what is to be said of them."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from reedbase_backup.archive import manifest
from reedbase_backup.archive.deflating import Segment, deflated
from reedbase_backup.archive.gzip_writer import GzipWriter, Stretch
from reedbase_backup.archive.limits import MAX_PATH
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.reuse.runs import Run
from reedbase_backup.archive.tar.header import (
    BLOCK,
    FOLDER,
    Member,
    encode,
    encode_files,
    padding,
)
from reedbase_backup.disk.sharing import Readers
from reedbase_backup.disk.source_entries import SourceFile, SourceFolder
from reedbase_backup.errors import BackupUnsafe

# Up to here, to copy a file's content costs less than to hand it on in three pieces.
_ONE_PIECE = 1 << 14


@dataclass(frozen=True, slots=True)
class FolderLine:
    """What the manifest says of a folder, which is of no run: it changes with each file."""

    line: bytes


@dataclass(frozen=True, slots=True)
class WrittenRun:
    """A run whose members are written, and whose lines are to be."""

    key: bytes | None
    is_plain: bool
    body: Stretch
    lines: list[Segment]


def write_folder(gzip: GzipWriter, folder: SourceFolder) -> FolderLine:
    """Write a folder, without what is in it. Raise BackupUnsafe."""
    name, status = _restorable(folder.name), folder.status
    gzip.begin_stretch()
    mode, mtime_ns = status.st_mode & 0o7777, status.st_mtime_ns
    member = Member(name + b"/", FOLDER, mode, mtime_ns, 0, status.st_uid, status.st_gid)
    gzip.write(encode(member))
    return FolderLine(manifest.line(name, manifest.NO_DIGEST, 0, status.st_mtime_ns))


def write_run(
    gzip: GzipWriter, run: Run, content: list[bytes] | SourceFile, origin: Origin, readers: Readers
) -> WrittenRun:
    """Write a run as `read_runs` gives it, which the `readers` have seen.

    Raise BackupUnsafe, and what SourceFile.chunks does.
    """
    body = gzip.begin_stretch()
    if isinstance(content, SourceFile):
        lines = _write_large(gzip, content)
    else:
        lines = _write_small(gzip, run, content)
    key = run.key(origin.device) if origin.began_ns else None
    return WrittenRun(key, readers.are_shared, body, [deflated(lines)])


def _write_small(gzip: GzipWriter, run: Run, contents: list[bytes]) -> bytes:
    """Write files, and return their lines of the manifest."""
    names = [_restorable(f"{run.folder}/{name}") for name in run.names]
    headers = encode_files(names, run.statuses)
    pieces = []
    for header, content in zip(headers, contents, strict=True):
        size = len(content)
        if size <= _ONE_PIECE:
            # Padded with zero bytes to whole blocks.
            pieces.append(header + content.ljust(-(-size // BLOCK) * BLOCK, b"\0"))
        else:
            pieces += header, content, padding(size)
    gzip.write_all(pieces)
    lines = [
        manifest.line(name, sha256(content).hexdigest(), len(content), status.st_mtime_ns)
        for name, content, status in zip(names, contents, run.statuses, strict=True)
    ]
    return b"".join(lines)


def _write_large(gzip: GzipWriter, file: SourceFile) -> bytes:
    """Write a file, and return its line of the manifest."""
    name, status = _restorable(file.name), file.status
    gzip.write(*encode_files([name], [status]))
    hasher = sha256()
    for chunk in file.chunks():
        hasher.update(chunk)
        gzip.write(chunk)
    gzip.write(padding(status.st_size))
    return manifest.line(name, hasher.hexdigest(), status.st_size, status.st_mtime_ns)


def _restorable(name: str) -> bytes:
    """Return the bytes of a name, none too long."""
    encoded = name.encode(manifest.ENCODING, manifest.ERRORS)
    if len(encoded) > MAX_PATH:
        raise BackupUnsafe(name, f"its path of {len(encoded)} bytes cannot be restored")
    return encoded
