"""The steps of generated histories: what a database and its user do over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hypothesis import strategies as st

from pytest_reedbackup.databases.clone import remove_tree

# A few names, so that steps meet; some that sort, encode or nest awkwardly.
NAMES = ("text", "users", "a.b", "Größe", "x" * 120)
FILES = ("current.csv", ".lock", "1.bsdiff", "inner/deep.txt")


class Step(Protocol):
    """Something that changes a database between two backups."""

    def apply(self, base: Path) -> None:
        """Change the database at `base`; where there is nothing to change, do nothing."""
        ...


@dataclass(frozen=True)
class Write:
    """A file with another content, in a table or in indices/."""

    folder: str
    file: str
    content: bytes

    def apply(self, base: Path) -> None:
        """Write it, with the folders above it."""
        path = base / self.folder / self.file
        if path.is_dir() or path.parent.is_file():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.content)


@dataclass(frozen=True)
class MakeFolder:
    """An empty folder: a table without files, or a folder in one."""

    folder: str

    def apply(self, base: Path) -> None:
        """Make it, with the folders above it."""
        path = base / self.folder
        if not path.exists() and not path.parent.is_file():
            path.mkdir(parents=True, exist_ok=True)


@dataclass(frozen=True)
class Drop:
    """A table or an index folder that goes."""

    folder: str

    def apply(self, base: Path) -> None:
        """Remove it with all below."""
        remove_tree(base / self.folder)


@dataclass(frozen=True)
class ChangeMode:
    """A file's permission bits."""

    folder: str
    file: str
    mode: int

    def apply(self, base: Path) -> None:
        """Set them, where there is the file."""
        path = base / self.folder / self.file
        if path.is_file():
            path.chmod(self.mode)


_tables = st.sampled_from([f"tables/{name}" for name in NAMES])
_folders = _tables | st.just("indices")
_files = st.sampled_from(FILES)

changes: st.SearchStrategy[Step] = st.one_of(
    st.builds(Write, _folders, _files, st.binary(max_size=40)),
    st.builds(Write, _folders, _files, st.integers(0, 3).map(lambda n: b"row|1\n" * 4**n * 25)),
    st.builds(MakeFolder, _folders.map(lambda folder: f"{folder}/empty") | _tables),
    st.builds(Drop, _folders),
    st.builds(ChangeMode, _folders, _files, st.sampled_from([0o600, 0o644, 0o755, 0o440])),
)
"""Any change to tables/ or indices/."""
