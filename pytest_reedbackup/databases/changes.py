"""What cases change in a database, beside what its own writers do."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from pytest_reedbackup.databases import edits
from pytest_reedbackup.views.base import ROOTS


def set_file_time(path: Path, seconds: int) -> None:
    """Give a file another mtime, in Unix seconds, as one that was copied or synchronised has."""
    path.stat()  # whose error names the path, unlike that of utime
    os.utime(path, (seconds, seconds))


def share_with_a_group(base: Path) -> None:
    """Give tables/ the modes of what a group writes to: bits that a umask takes, and setgid.

    One folder is sticky as well, and one file has all that a file can have.
    """
    paths = sorted((base / "tables").rglob("*"))
    for path in paths:
        path.chmod(0o2775 if path.is_dir() else 0o664)
    next(path for path in paths if path.is_dir()).chmod(0o3775)
    next(path for path in paths if path.is_file()).chmod(0o6755)


def break_hard_links(base: Path) -> None:
    """Make every file with several names several files.

    tar packs further names as link members, which an implementation may refuse
    (contract `ticket`, restore/hostile: "by link").
    """
    for path in [path for root in ROOTS for path in (base / root).rglob("*")]:
        if path.is_file() and path.stat().st_nlink > 1:
            copy = path.with_name(f"{path.name[:100]}.copy")
            shutil.copy2(path, copy)
            copy.replace(path)


def under_another_name(base: Path) -> Path:
    """Rename the base to what must be quoted and is not called .reed; return its new path."""
    return base.rename(base.with_name("Größe & 'so on'; $HOME"))


def edit_unseen(base: Path) -> None:
    """Give every current.csv another content of the same size under the same mtime."""
    for path in (base / "tables").rglob("current.csv"):
        content, status = path.read_bytes(), path.stat()
        path.write_bytes(content[:-2] + b"\0" + content[-1:])
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def change_everything(base: Path) -> None:
    """Make one change of every kind, to be undone by a restore of the last backup."""
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
