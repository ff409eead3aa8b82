"""A restore with links brings just what one without brings, whatever became of the live tree."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from reference.restore.live import Change, before_the_last_look, files, rewrite

from reedbase_backup import create_backup, restore_point_in_time
from reedbase_backup.swap.links import SWITCH
from reedbase_backup.types import U64_MAX as FOREVER

NAMES = ["tables/t/.lock", "tables/t/a", "tables/t/b", "tables/t/deep/c", "indices/i", "indices/j"]
SIZES = [0, 20, 20, 5000, 20, 5000]
START_NS = 1_600_000_000_123_456_789


def _replace(path: Path) -> None:
    """By an equal file."""
    shutil.copy2(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


def _replace_by_another(path: Path) -> None:
    _replace(path)
    rewrite(path)


def _round_time(path: Path) -> None:
    """To the second, which is all that a header says of it."""
    os.utime(path, ns=(path.stat().st_mtime_ns // 10**9 * 10**9,) * 2)


def _copy_folder(path: Path) -> None:
    """Put a copy with preserved times in place of the folder."""
    folder = path.parent
    moved = folder.rename(folder.parent.parent / "moved")
    shutil.copytree(moved, folder, symlinks=True)
    shutil.rmtree(moved)


def _link_beside(path: Path) -> None:
    outside = path
    while outside.name not in ("tables", "indices"):
        outside = outside.parent
    os.link(path, outside.parent / f"kept {os.urandom(4).hex()}")


def _link_inside(path: Path) -> None:
    os.link(path, path.with_name(f"again {os.urandom(4).hex()}"))


def _swap_with_neighbour(path: Path) -> None:
    neighbour = next(p for p in sorted(path.parent.glob("[!.]*")) if p.is_file())
    path.rename(path.with_name("third"))
    if neighbour != path:
        neighbour.rename(path)
    path.with_name("third").rename(neighbour)


def _by_a_symlink(path: Path) -> None:
    path.unlink()
    path.symlink_to("a")


CHANGES: dict[str, Change] = {
    "rewrite": rewrite,
    "append": lambda path: path.write_bytes(path.read_bytes() + b"more"),
    "replace": _replace,
    "replace by another": _replace_by_another,
    "round time": _round_time,
    "swap": _swap_with_neighbour,
    "mode": lambda path: path.chmod(0o600),
    "folder's mode": lambda path: path.parent.chmod(0o700),
    "copy folder": _copy_folder,
    "link beside": _link_beside,
    "link inside": _link_inside,
    "remove": lambda path: path.unlink(),
    "by a symbolic one": _by_a_symlink,
    "xattr": lambda path: os.setxattr(path, "user.note", b"mine"),
    "owner": lambda path: os.chown(path, 12345, 12345) if os.geteuid() == 0 else None,
}
UNSEEN = ("rewrite", "replace by another", "mode", "link beside", "link inside", "remove", "swap")
"""Those that somebody who heeds no lock may make during the restore."""


class Made(NamedTuple):
    """A change to the file of a number."""

    what: str
    file: int


# Not the lock file: a live one stays, with all that it has.
FILES = st.integers(1, len(NAMES) - 1)
ALL = st.builds(Made, st.sampled_from(sorted(CHANGES)), FILES)
DURING = st.builds(Made, st.sampled_from(UNSEEN), FILES)


@pytest.fixture(scope="module")
def backed_up(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base = tmp_path_factory.mktemp("backed up") / ".reed"
    for number, (name, size) in enumerate(zip(NAMES, SIZES, strict=True)):
        path = base / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([65 + number]) * size)
        path.chmod(0o644)
        os.utime(path, ns=(START_NS, START_NS))
    create_backup(base)
    return base


def _make(base: Path, change: Made) -> None:
    path = base / NAMES[change.file]
    # What is gone cannot be changed.
    if path.is_file() and not path.is_symlink():
        CHANGES[change.what](path)


def _found(base: Path) -> Iterator[tuple[object, ...]]:
    """Everything but inodes, and mtimes of the base, where working folders come and go."""
    for path in sorted(base.rglob("*")):
        status = path.lstat()
        links = 0 if path.is_dir() else status.st_nlink
        attributes = status.st_mode, status.st_uid, status.st_gid, links, status.st_mtime_ns
        content = b"" if not stat.S_ISREG(status.st_mode) else path.read_bytes()
        if "backups" not in path.parts:
            xattrs = tuple(os.listxattr(path, follow_symlinks=False))
            yield str(path.relative_to(base)), *attributes, xattrs, hashlib.sha256(content).digest()


def _beside(base: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in base.iterdir() if path.is_file()}


@given(before=st.lists(ALL, max_size=4), during=st.lists(DURING, max_size=2))
@example(before=[Made("mode", 1)], during=[])
@example(before=[Made("rewrite", 3)], during=[])
@example(before=[Made("replace by another", 4)], during=[])
@example(before=[], during=[Made("rewrite", 1)])
@example(before=[], during=[Made("rewrite", 4), Made("replace by another", 2)])
@settings(
    max_examples=100,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@pytest.mark.slow
def test_whatever_was_and_is_done_to_the_live_tree(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch, before: list[Made], during: list[Made]
) -> None:
    with tempfile.TemporaryDirectory(dir=backed_up.parent) as folder:
        linked, written = Path(folder) / "linked", Path(folder) / "written"
        for base in (linked, written):
            shutil.copytree(backed_up, base)
            for change in before:
                _make(base, change)

        kept = _beside(linked)
        to_come = iter(during)

        def act() -> None:
            for change in to_come:
                _make(linked, change)
            kept.update(_beside(linked))

        with before_the_last_look(monkeypatch, act):
            restore_point_in_time(linked, FOREVER)
        with monkeypatch.context() as patched:
            patched.setenv(SWITCH, "0")
            restore_point_in_time(written, FOREVER)

        tables = {"tables", "indices"}
        trees = [
            {entry for entry in _found(base) if str(entry[0]).partition("/")[0] in tables}
            for base in (linked, written)
        ]
        assert trees[0] == trees[1]
        assert {path.stat().st_nlink for path in files(linked)} == {1}
        # Other names of live files keep their content, and what was linked is not theirs.
        assert kept.items() <= _beside(linked).items()
        assert not list(linked.glob(".reedbackup*"))
