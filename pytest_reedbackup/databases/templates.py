"""Databases built once, kept in a folder, and cloned for each use.

Several processes may share the folder: each template has a lock, held
exclusively while it is built and shared while it is cloned.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Final

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.databases.spec import Spec

_LOCK: Final = ".lock"
_SEAL: Final = ".seal"
_UNFINISHED: Final = ".unfinished"
SPARE: Final = ".spare"
"""What the name ends in of what else is kept of a template (`spare`)."""


class Templates:
    """The templates in `folder`, which is made when the first one is built.

    A template is never to be written to: whoever wants to, clones it. One that
    was changed since it was built, or that another version of this package
    built, is built again.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._checked: set[str] = set()

    def get(self, spec: Spec) -> Path:
        """Return the template of `spec`, built now if need be; not to be changed."""
        key = spec.key()
        template = self.folder / key
        if key not in self._checked or not template.is_dir():
            with self.locked(key, fcntl.LOCK_EX):
                if not is_sealed(template):
                    self._build(spec, template)
            self._checked.add(key)
        return template

    def clone(self, spec: Spec, base: Path) -> Path:
        """Make `base`, which is not there yet, a copy of the template of `spec`; return `base`."""
        template = self.get(spec)
        base.parent.mkdir(parents=True, exist_ok=True)
        with self.locked(spec.key(), fcntl.LOCK_SH):
            clone_tree(template, base)
        return base

    @contextmanager
    def cloned(self, spec: Spec, within: Path | None = None) -> Iterator[Path]:
        """Yield a clone for the length of a `with`, for use inside `@given`.

        It is in a new folder in `within` (the system's temporary folder by
        default), so that what a test puts beside the base goes with it.
        """
        parent = Path(tempfile.mkdtemp(prefix="reedbackup-", dir=within))
        try:
            yield self.clone(spec, parent / ".reed")
        finally:
            remove_tree(parent)

    @contextmanager
    def locked(self, key: str, kind: int) -> Iterator[None]:
        """Hold the lock of a template, and of what is kept with it: `kind` as flock(2) has it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        # The lock file stays for good: removing one that others wait for would
        # give two processes two locks of one name.
        with (self.folder / f"{key}{_LOCK}").open("ab") as lock:
            fcntl.flock(lock, kind)
            yield

    def clear(self) -> None:
        """Remove all templates, of other versions too; to be called before any process uses them.

        One that is being built or cloned is removed once that is done.
        """
        self._checked.clear()
        if not self.folder.is_dir():
            return
        for lock in sorted(self.folder.glob(f"*{_LOCK}")):
            key = lock.name.removesuffix(_LOCK)
            with self.locked(key, fcntl.LOCK_EX):
                for suffix in ("", _UNFINISHED, SPARE):
                    remove_tree(self.folder / f"{key}{suffix}")
                    remove_tree(seal_of(self.folder / f"{key}{suffix}"))

    def _build(self, spec: Spec, template: Path) -> None:
        unfinished = template.with_name(f"{template.name}{_UNFINISHED}")
        for leftover in (unfinished, seal_of(template), template):
            remove_tree(leftover)
        build(spec, unfinished)
        unfinished.rename(template)
        # Last: without a seal, what a process that died here left is built again.
        seal_of(template).write_text(fingerprint(template))


def seal_of(folder: Path) -> Path:
    """Return the file beside a template or a clone that says what it was like when it was kept."""
    return folder.with_name(f"{folder.name}{_SEAL}")


def is_sealed(folder: Path) -> bool:
    """Return whether a template or a clone is there, and was not changed since it was kept."""
    seal = seal_of(folder)
    return folder.is_dir() and seal.is_file() and seal.read_text() == fingerprint(folder)


def fingerprint(template: Path) -> str:
    """Return a digest that any change to a template or a clone changes; no content is read for it.

    It holds each file's ctime, which no writer can set back. A folder's ctime
    is left out: renaming the finished template changes it.
    """
    digest = hashlib.sha256()
    for line in _described(template):
        digest.update(line)
    return digest.hexdigest()


def _described(folder: Path, prefix: str = "") -> Iterator[bytes]:
    with os.scandir(folder) as children:
        entries = sorted(children, key=attrgetter("name"))
    for entry in entries:
        status = entry.stat(follow_symlinks=False)
        path = f"{prefix}/{entry.name}"
        is_folder = entry.is_dir(follow_symlinks=False)
        changed = 0 if is_folder else status.st_ctime_ns
        owner = status.st_uid, status.st_gid
        facts = status.st_mode, *owner, status.st_size, status.st_mtime_ns, changed
        yield ascii((path, *facts)).encode()
        if is_folder:
            yield from _described(folder / entry.name, path)
