"""A database of everything that backup code gets wrong, each thing once.

Every table under an awkward name is a real table that ReedBase could read. What
a file system refuses (a name that is no UTF-8, one that differs in case or
normalisation only) is left out there.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

from pytest_reedbackup.databases.history import Table, draw_stamps
from pytest_reedbackup.databases.layout import (
    EPOCH_NS,
    PAGE,
    finish_folder,
    make_folder,
    write_file,
    write_index,
    write_metadata,
    write_registry,
)

_REFUSED: Final = (errno.EEXIST, errno.EILSEQ, errno.EINVAL, errno.ENAMETOOLONG)

TABLE_NAMES: Final = (
    "text",
    "\u00dcbersicht",  # NFC
    "U\u0308bersicht",  # NFD: the same text in other bytes
    "日本語の表",
    "جدول",
    "🙂👩\u200d💻",
    "case",
    "CASE",
    ".hidden",
    "...",
    " space before and after ",
    "-rf",
    "--checkpoint-action=exec=false",
    "new\nline",
    "carriage\rreturn",
    "back\\slash",
    "quotes ' \" `$HOME`",
    "*",
    "percent%2F%00",
    os.fsdecode(b"not utf-8 \xff\xfe"),
    # What an exclusion by name would lose, and what an archive calls its own.
    "backups",
    "registry",
    "indices",
    "tables",
    "manifest.json",
    "1700000000.tar.gz",
    "x" * 101,  # a tar header holds names of up to 100 bytes
    "ü" * 127 + "y",  # 255 bytes, the longest a component can be
)

# Unix nanoseconds: before 1970, around 0, past 2^31, 2^32 and tar's 8^11 - 1 seconds.
MTIMES: Final = (
    -315_619_200_123_456_789,
    -1,
    0,
    1,
    2**31 * 10**9 + 999_999_999,
    2**32 * 10**9 + 1,
    8**11 * 10**9,
)

# Around the block of a tar (512) and its record (10,240), and none at all.
SIZES: Final = (0, 1, 511, 512, 513, 10_239, 10_240, 10_241, 2**16)

MODES: Final = (0o600, 0o755, 0o444, 0o640, 0o400)

# What programs that copy folders like to leave out.
LEFTOVERS: Final = ("current.csv~", "current.csv.bak", "current.csv.orig", ".current.csv.swp")

# Around the 100 bytes of a tar header's name, with and without a byte for its end.
PATH_BYTES: Final = (98, 99, 100, 101)

LARGE: Final = 8 * 2**20 + 12_345


def build(seed: int, base: Path) -> None:
    """Write the awkward database to `base`, a folder that does not exist yet."""
    make_folder(base)
    write_registry(base)
    rng = Random(f"{seed}/awkward")
    tables = make_folder(base / "tables")
    _build_tables(tables, rng)
    _build_files(tables / "text", rng)
    _build_nested(tables / "text")
    _build_contents(tables, rng)
    _build_indices(make_folder(base / "indices"), rng)
    _build_links(base)
    _build_surroundings(base)
    for folder in _folders_bottom_up(base):
        finish_folder(folder)
    _build_folder_details(base)


def _build_tables(tables: Path, rng: Random) -> None:
    for name in TABLE_NAMES:
        stamps = draw_stamps(rng, 3)
        try:
            Table("text", 9, stamps, rng).build(tables / name)
        except OSError as error:
            if error.errno not in _REFUSED:
                raise
    Table("binary", 40, draw_stamps(rng, 4), rng).build(tables / "binary")
    make_folder(tables / "no files")
    write_file(tables / "README.md", b"A file where tables are.\n")


def _build_files(table: Path, rng: Random) -> None:
    """Build files that are no part of a table, for their sizes, modes and mtimes."""
    for size in SIZES:
        write_file(table / f"{size}.bytes", rng.randbytes(size))
    for mode in MODES:
        write_file(table / f"mode {mode:04o}", b"%04o\n" % mode, mode=mode)
    for number, mtime_ns in enumerate(MTIMES):
        write_file(table / f"mtime {number}", b"%d\n" % mtime_ns, mtime_ns)
    write_file(table / ".dotfile", b"hidden\n")
    write_file(table / "current.new.tmp", b"what a writer that died leaves\n")
    for name in LEFTOVERS:
        write_file(table / name, name.encode())
    for length in PATH_BYTES:
        write_file(table / str(length).ljust(length - len("tables/text/"), "n"), b"%d\n" % length)


def _build_nested(table: Path) -> None:
    """Build folders in folders: paths of more than 100, then more than 255 bytes."""
    folder = table
    for depth in range(8):
        folder = make_folder(folder / f"nested {depth} {'ß' * 20}")
        write_file(folder / "leaf.txt", b"depth %d\n" % depth)
    make_folder(folder / "empty")
    make_folder(make_folder(table / "only") / "folders")


def _build_contents(tables: Path, rng: Random) -> None:
    """Build line ends that must not be converted, and more than one buffer of bytes."""
    media = make_folder(tables / "upload")
    stored = b"key|language|value\r\nmenu.title|en|Menu\r\n\r\nlast|en|no line end \xef\xbb\xbf\x1a"
    at_ns = EPOCH_NS + 1
    write_file(media / f"{at_ns}.bsdiff", stored, at_ns)
    write_file(media / "current.csv", stored, at_ns)
    write_file(media / "version.log", b"%d|5|1|%d\n" % (at_ns, len(stored)), at_ns)
    write_file(media / ".lock", b"", at_ns)
    half = rng.randbytes(LARGE // 2)
    write_file(media / "large.bin", half + bytes(LARGE - len(half)))


def _build_indices(indices: Path, rng: Random) -> None:
    write_index(indices, "text", "key", rng)
    for column, pages in (("value", (0, 3, 255)), ("language", ())):
        _write_sparse(indices / f"text.{column}.btree", pages, rng)
        write_file(indices / f"text.{column}.wal", b"")
    write_metadata(indices, [("text", "key"), ("text", "value"), ("text", "language")])
    write_file(make_folder(indices / "text") / "words.btree", rng.randbytes(PAGE))
    make_folder(indices / "text" / "empty")


def _write_sparse(path: Path, pages: tuple[int, ...], rng: Random) -> None:
    """Write 1 MiB of which only these pages are there, as the real B-tree does it."""
    write_file(path, b"")
    with path.open("r+b") as file:
        file.truncate(2**20)
        for page in pages:
            file.seek(page * PAGE)
            file.write(rng.randbytes(PAGE))
    os.utime(path, ns=(EPOCH_NS, EPOCH_NS))


def _build_links(base: Path) -> None:
    """Build hard links within a folder, between folders, and between the two trees."""
    first = base / "tables" / "text" / "512.bytes"
    os.link(first, first.with_name("512.again"))
    os.link(first, base / "tables" / "binary" / "512.bytes")
    os.link(base / "indices" / "text.key.wal", base / "tables" / "binary" / "text.key.wal")


def _build_surroundings(base: Path) -> None:
    """Build what else may be in a base: it is not backed up, and a restore leaves it alone."""
    write_file(base / "reed.toml", b"[server]\nport = 3333\n", mode=0o600)
    write_file(make_folder(base / "sessions") / "current", b"open\n")


def _folders_bottom_up(base: Path) -> Iterator[Path]:
    for folder, _, _ in os.walk(base, topdown=False):
        yield Path(folder)


def _build_folder_details(base: Path) -> None:
    """Set modes and mtimes of folders, once nothing is put into them any more."""
    text = base / "tables" / "text"
    frozen = make_folder(text / "frozen")
    write_file(frozen / "file in a read-only folder", b"still here\n", mode=0o444)
    finish_folder(frozen, MTIMES[0], 0o555)
    finish_folder(text / "only" / "folders", MTIMES[4], 0o700)
    finish_folder(text / "only", MTIMES[5], 0o750)
    finish_folder(text, EPOCH_NS + 123_456_789)
