"""Looking at and into a base: the views that cases compare."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from pytest_reedbackup.checks.expectations import expect_that
from pytest_reedbackup.connections.implementation import Implementation
from pytest_reedbackup.databases import edits
from pytest_reedbackup.databases.archives import ROOTS, pack
from pytest_reedbackup.views.tree import Tree

# The longest name that Linux's and macOS' file systems take.
_NAME_BYTES = 255

_SPECIAL_BITS = stat.S_ISUID | stat.S_ISGID | stat.S_ISVTX


def live_tree(base: Path) -> Tree:
    """What a backup holds: tables/ and indices/."""
    others = tuple(child.name for child in base.iterdir() if child.name not in ROOTS)
    return Tree.read(base, exclude=(".", *others))


def other_tree(base: Path) -> Tree:
    """What a restore leaves alone: everything beside tables/ and indices/."""
    return Tree.read(base, exclude=(".", *ROOTS))


def source_tree(base: Path) -> Tree:
    """What a backup leaves alone: everything but backups/."""
    return Tree.read(base, exclude=(".", "backups"))


def below_roots(tree: Tree) -> Tree:
    """Without the two roots themselves, which members below them may imply."""
    return tree.without(ROOTS)


def archive_of(base: Path, backup_id: str) -> Path:
    """Where the archive of a backup is (contract `ticket`, create/archive).

    Raises BrokenPromise for an id that no file can be named by.
    """
    named = f"{backup_id}.tar.gz"
    is_name = backup_id and not set(named) & {"/", "\0"} and len(os.fsencode(named)) <= _NAME_BYTES
    expect_that(
        bool(is_name),
        "the id of a backup",
        expected="a valid file name, without .tar.gz",
        found=backup_id,
    )
    return base / "backups" / f"{backup_id}.tar.gz"


def set_file_time(path: Path, seconds: int) -> None:
    """Gives a file another mtime, in Unix seconds, as one that was copied or synchronised has."""
    path.stat()  # whose error names the path, unlike that of utime
    os.utime(path, (seconds, seconds))


def backups_listing(base: Path) -> list[str]:
    """The names in backups/; none where there is no such folder."""
    folder = base / "backups"
    return sorted(child.name for child in folder.iterdir()) if folder.is_dir() else []


def backup_at(reedbackup: Implementation, base: Path, seconds: int) -> tuple[str, int]:
    """Id and timestamp of a fresh backup of the second `seconds`.

    Where the clock cannot be set, it is a plain tar.gz that others might have made.
    """
    if reedbackup.clock.is_settable:
        reedbackup.clock.set(seconds)
        made = reedbackup.created(base)
        return made.id, made.timestamp
    pack(base, archive_of(base, str(seconds)))
    return str(seconds), seconds


def backup_around(reedbackup: Implementation, base: Path) -> int:
    """Backs the base up and gives a time to restore to, in the midst of two backups of this tree.

    So whichever an implementation picks, it is this tree: what it picks is for
    the cases of restore/pick. The later one is a plain tar.gz of a time to come.
    """
    time: int = reedbackup.created(base).timestamp
    pack(base, archive_of(base, str(time + 2)))
    return time + 1


def share_with_a_group(base: Path) -> None:
    """Gives tables/ the modes of what a group writes to: bits that a umask takes, and setgid.

    One folder is sticky as well, and one file has all that a file can have.
    """
    paths = sorted((base / "tables").rglob("*"))
    for path in paths:
        path.chmod(0o2775 if path.is_dir() else 0o664)
    next(path for path in paths if path.is_dir()).chmod(0o3775)
    next(path for path in paths if path.is_file()).chmod(0o6755)


def with_cleared_bits_back(found: Tree, expected: Tree) -> Tree:
    """`found`, with set-id and sticky bits of regular files as expected where they were cleared.

    An implementation may keep them or clear them (contract `ticket`, restore/modes); none may
    come from nowhere.
    """
    entries = dict(found.entries)
    for name, entry in found.entries.items():
        wanted = expected.entries.get(name)
        if wanted is not None and entry.kind == wanted.kind == "file":
            cleared = wanted.mode & ~entry.mode & _SPECIAL_BITS
            entries[name] = entry._replace(mode=entry.mode | cleared)
    return Tree(entries)


def break_hard_links(base: Path) -> None:
    """Makes every file with several names several files.

    tar packs further names as link members, which an implementation may refuse
    (contract `ticket`, restore/hostile: "by link").
    """
    for path in [path for root in ROOTS for path in (base / root).rglob("*")]:
        if path.is_file() and path.stat().st_nlink > 1:
            copy = path.with_name(f"{path.name[:100]}.copy")
            shutil.copy2(path, copy)
            copy.replace(path)


def under_another_name(base: Path) -> Path:
    """The base, renamed to what must be quoted and is not called .reed."""
    return base.rename(base.with_name("Größe & 'so on'; $HOME"))


def edit_unseen(base: Path) -> None:
    """Gives every current.csv another content of the same size under the same mtime."""
    for path in (base / "tables").rglob("current.csv"):
        content, status = path.read_bytes(), path.stat()
        path.write_bytes(content[:-2] + b"\0" + content[-1:])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def change_everything(base: Path) -> None:
    """One change of every kind since the last backup, to be undone by a restore."""
    tables = sorted(child for child in (base / "tables").iterdir() if child.is_dir())
    if tables:
        newest = edits.newest_version(tables[0]) or 0
        edits.write_version(tables[0], b"key|value\nchanged|since\n", newest + 10**9)
    if len(tables) > 1:
        edits.drop_table(base, tables[1].name)
    edits.create_table(base, "made_since", b"key|value\nnew|table\n", 1_800_000_000 * 10**9)
    (base / "tables" / "made_since" / "folder since").mkdir()
    (base / "indices").mkdir(exist_ok=True)
    (base / "indices" / "made_since.key.btree").write_bytes(b"\0" * 64)
