"""What a backup holds: which of an archive's members are admitted, and under what names."""

from __future__ import annotations

import os
from dataclasses import dataclass

from reedbase_backup import tar
from reedbase_backup.errors import BackupUnsafe

ROOTS = ("tables", "indices")
"""The folders that a backup holds (ticket 060-OPS-01, "Architecture")."""

# What no archive of tables/ and indices/ has a reason to hold
# (contract `ticket`, create/content).
_FORBIDDEN_ROOTS = ("backups", "registry")

_KIND_WORDS = {
    b"2": "a symbolic link",
    b"3": "a character device",
    b"4": "a block device",
    b"6": "a FIFO",
    b"S": "a sparse file (pack it without --sparse)",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One folder or file of a backup, checked to be safe to write below a fresh folder."""

    name: str
    """Relative, normal, and below tables/ or indices/."""
    is_folder: bool
    mode: int
    mtime_ns: int
    size: int
    uid: int
    gid: int
    same_as: str | None
    """The earlier file whose content this one repeats (a hard link in the archive)."""


class SafeNames:
    """Admits members one by one: each name normal, in place, and new."""

    def __init__(self) -> None:
        self.folders: set[str] = set()
        """All folders, those too that only a path implies."""
        self.sizes: dict[str, int] = {}
        """The sizes of all files, in bytes."""
        self._announced: set[str] = set()

    def admit(self, member: tar.Member) -> Entry | None:
        """The entry for `member`; None for one beside tables/ and indices/.

        Raises BackupUnsafe for everything that an honest backup does not hold.
        """
        name = _normal_name(member)
        root = name.partition("/")[0]
        if member.kind not in (tar.FILE, tar.FOLDER, tar.HARD_LINK):
            kind = _KIND_WORDS.get(member.kind, f"a member of type {member.kind!r}")
            raise BackupUnsafe(name, f"the archive holds {kind}; it was not restored")
        if root in _FORBIDDEN_ROOTS:
            raise BackupUnsafe(name, "a backup holds only tables/ and indices/")
        if root not in ROOTS:
            if member.kind == tar.HARD_LINK:
                raise BackupUnsafe(name, "a link beside tables/ and indices/")
            return None
        return self._entry(name, member)

    @property
    def table_count(self) -> int:
        """Folders directly under tables/."""
        return sum(name.startswith("tables/") and name.count("/") == 1 for name in self.folders)

    def _entry(self, name: str, member: tar.Member) -> Entry:
        is_folder = member.kind == tar.FOLDER
        if (
            name in self._announced
            or name in self.sizes
            or (not is_folder and name in self.folders)
        ):
            raise BackupUnsafe(name, "the archive holds it twice")
        self._imply_parents(name)
        size, same_as = member.size, None
        if is_folder:
            self._announced.add(name)
            self.folders.add(name)
            size = 0
        else:
            if name in ROOTS:
                raise BackupUnsafe(name, "it is a file where a folder must be")
            if member.kind == tar.HARD_LINK:
                same_as = self._link_target(name, member)
                size = self.sizes[same_as]
            self.sizes[name] = size
        return Entry(
            name, is_folder, member.mode, member.mtime_ns, size, member.uid, member.gid, same_as
        )

    def _imply_parents(self, name: str) -> None:
        parent = name.rpartition("/")[0]
        while parent and parent not in self.folders:
            if parent in self.sizes:
                raise BackupUnsafe(name, f"{parent} is a file and a folder at once")
            self.folders.add(parent)
            parent = parent.rpartition("/")[0]

    def _link_target(self, name: str, member: tar.Member) -> str:
        target = os.fsdecode(member.link).removeprefix("./")
        if target not in self.sizes:
            raise BackupUnsafe(
                name, f"a link to {target!r}, which is no earlier file of the archive"
            )
        return target


def _normal_name(member: tar.Member) -> str:
    """The member's name without `./` and trailing slashes; "" for the root itself."""
    text = os.fsdecode(member.name)
    parts = text.rstrip("/").split("/")
    if text.startswith("/") or ".." in parts or "\0" in text:
        raise BackupUnsafe(text, "the name leads out of the database")
    return "/".join(part for part in parts if part not in ("", "."))
