"""The live trees and the registry: what ReedBase's own calls, and backups, would trip over."""

from __future__ import annotations

import fnmatch
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from reedbase_backup.archive.admission import ROOTS
from reedbase_backup.disk.table_lock import LOCK_NAME
from reedbase_backup.doctor.base import names_in
from reedbase_backup.doctor.finding import Finding, at, command
from reedbase_backup.errors import LogCorrupted
from reedbase_backup.last.versions import version_log
from reedbase_backup.last.versions.version_log import parse_number, split_lines
from reedbase_backup.types import U32_MAX

# By these names the baseline writes, through symlinks (D17); a write that was cut off leaves them.
_TEMPORARY = ("current.new.tmp", "rollback.tmp", "rollback_*.tmp")


def tables(base: str) -> Iterator[Finding]:
    """Find what is wrong with each table."""
    for table in names_in(at(base, "tables")):
        place = f"tables/{table}"
        if Path(base, place).is_dir() and not Path(base, place).is_symlink():
            yield from _current(base, place)
            yield from _log(base, f"{place}/version.log")
            yield from _temporary(base, place)


def specials(base: str) -> Iterator[Finding]:
    """Find what no backup takes: symlinks above all, and those in the way of a write (D17)."""
    for root in ROOTS:
        if Path(base, root).is_symlink():
            yield _special(base, root)
            continue
        for folder, folders, files in os.walk(at(base, root)):
            for name in sorted([*folders, *files]):
                mode = os.lstat(at(folder, name)).st_mode
                if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                    yield _special(base, os.path.relpath(at(folder, name), base))


def users(base: str) -> Iterator[Finding]:
    """Find damage in registry/users.dict, which no backup holds (D16)."""
    place = "registry/users.dict"
    try:
        content = Path(base, place).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        yield _users(place, f"it cannot be read: {error.strerror}", "see that it is a file to read")
        return
    path = at(base, place)
    if content and not content.endswith(b"\n"):
        yield _users(place, "its last line has no end", f"echo >> {command(path)}")
    for number, line in enumerate(split_lines(content), 1):
        try:
            fields = line.decode().split("|")
        except UnicodeDecodeError:
            yield _users(place, f"line {number} is not UTF-8", f"mend line {number} of {path}")
            return
        if number > 1 and len(fields) > 1 and parse_number(fields[0], U32_MAX) is None:
            words = f"line {number} begins with no code of a user"
            yield _users(place, words, f"mend line {number} of {path}")
            return


def _current(base: str, place: str) -> Iterator[Finding]:
    if not os.path.lexists(at(base, place, "current.csv")):
        yield Finding(
            "current-lost",
            True,
            place,
            "its current.csv is missing (D9)",
            "ReedBase's restore says TableNotFound; a backup of this table lacks it, too",
            command("reedbackup", "restore", base, "--to", "latest", "--dry-run"),
        )


def _log(base: str, place: str) -> Iterator[Finding]:
    try:
        content = version_log.read(Path(base, place))
        version_log.parse(content)
    except LogCorrupted as error:
        yield Finding(
            "log-corrupted",
            True,
            place,
            str(error),
            "ReedBase can restore no version of this table; backups hold the log as it is",
            command("reedbackup", "restore", base, "--to", "latest", "--dry-run"),
        )
        return
    if content and not content.endswith(b"\n"):
        yield Finding(
            "log-without-end",
            True,
            place,
            "its last line has no end (D7)",
            "ReedBase's next write glues its line to it, and the log cannot be read ever after",
            f"echo >> {command(at(base, place))}",
        )


def _temporary(base: str, place: str) -> Iterator[Finding]:
    for name in names_in(at(base, place)):
        path = Path(base, place, name)
        if _is_temporary(name) and not path.is_symlink():
            yield Finding(
                "table-leftover",
                False,
                f"{place}/{name}",
                "a write of ReedBase is at work, or was cut off (D10)",
                "each backup holds it, and each restore brings it back",
                command("rm", str(path)),
            )


def _is_temporary(name: str) -> bool:
    return any(fnmatch.fnmatch(name, one) for one in _TEMPORARY)


def _special(base: str, place: str) -> Finding:
    name = os.path.basename(place)
    is_in_the_way = name == LOCK_NAME or _is_temporary(name)
    writes = "; ReedBase writes through it, wherever it leads (D17)" if is_in_the_way else ""
    return Finding(
        "symlink-in-the-way" if is_in_the_way else "special-file",
        True,
        place,
        "it is no regular file and no folder",
        f"a backup fails with BackupUnsafe; a restore removes it{writes}",
        command("rm", at(base, place)),
    )


def _users(place: str, what: str, advice: str) -> Finding:
    outlook = "ReedBase reads it in part, and may give a code that a user has to another (D16)"
    return Finding("users-damaged", True, place, what, f"{outlook}; no backup holds it", advice)
