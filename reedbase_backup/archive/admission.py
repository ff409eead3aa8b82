"""What a backup holds: which of an archive's members are admitted, and under what names."""

from __future__ import annotations

from dataclasses import dataclass

from reedbase_backup.archive.limits import Allowance
from reedbase_backup.archive.manifest import ENCODING, ERRORS, Record
from reedbase_backup.archive.tar.fields import File
from reedbase_backup.archive.tar.header import FILE, FOLDER, HARD_LINK, Member
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
    b"D": "a folder of an incremental dump (pack it without --listed-incremental)",
    b"M": "a file that begins in another volume (join the volumes first)",
    b"S": "a sparse file (pack it without --sparse)",
}


@dataclass(slots=True)
class ArchiveEntry:
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


class Admission:
    """Admits members one by one: each name normal, in place, and new."""

    def __init__(self, allowance: Allowance) -> None:
        self.records: dict[str, Record] = {}
        """The folders and files whose members have been read whole, by name."""
        self._implied: set[str] = set()
        """The folders that so far only a path implies."""
        self._tables: set[str] = set()
        """The folders directly under tables/."""
        self._allowance = allowance

    def admit(self, member: Member) -> ArchiveEntry | None:
        """Return the entry for `member`; None for one beside tables/ and indices/.

        Raise BackupUnsafe for everything that a sound backup does not hold,
        LimitExceeded for more of it than the archive is allowed.
        """
        name = _normal_name(member.name)
        root = name.partition("/")[0]
        if member.kind not in (FILE, FOLDER, HARD_LINK):
            kind = _KIND_WORDS.get(member.kind, f"a member of type {member.kind!r}")
            raise BackupUnsafe(name, f"the archive holds {kind}; it was not restored")
        if root in _FORBIDDEN_ROOTS:
            raise BackupUnsafe(name, "a backup holds only tables/ and indices/")
        if root not in ROOTS:
            if member.kind == HARD_LINK:
                raise BackupUnsafe(name, "a link beside tables/ and indices/")
            return None
        if member.kind == FOLDER:
            return self._folder_entry(name, member)
        if name in ROOTS:
            raise BackupUnsafe(name, "it is a file where a folder must be")
        self._imply_parents(name)
        if member.kind == HARD_LINK:
            return self._link(name, member)
        return self._file(name, member)

    def admit_beside(self, entry: ArchiveEntry, file: File) -> ArchiveEntry:
        """Return the entry for a file of the series of `entry`; raise as `admit` does."""
        leaf, mtime_ns, content = file
        name = self._file_name(entry.name.rpartition("/")[0], leaf, len(content))
        return ArchiveEntry(
            name, False, entry.mode, mtime_ns, len(content), entry.uid, entry.gid, None
        )

    def record_beside(self, entry: ArchiveEntry, files: list[File], digests: list[str]) -> None:
        """Do for all of `files` what `admit_beside` and `record` do for one."""
        folder = entry.name.rpartition("/")[0]
        for (leaf, mtime_ns, content), digest in zip(files, digests, strict=True):
            size = len(content)
            self.records[self._file_name(folder, leaf, size)] = Record(digest, size, mtime_ns)

    def record(self, entry: ArchiveEntry, digest: str) -> None:
        """Note the entry that was admitted last, once its content has been read."""
        self.records[entry.name] = Record(digest, entry.size, entry.mtime_ns)

    def has_folder(self, name: str) -> bool:
        """Return whether there is a folder `name`, if only as a part of another name."""
        record = self.records.get(name)
        return name in self._implied if record is None else record.is_folder

    @property
    def table_count(self) -> int:
        """Folders directly under tables/."""
        return len(self._tables)

    def _folder_entry(self, name: str, member: Member) -> ArchiveEntry:
        if name in self._implied:
            self._implied.remove(name)
        else:
            self._take(name)
            self._note_table(name)
            self._imply_parents(name)
        return _entry(name, member, 0, is_folder=True)

    def _file(self, name: str, member: Member) -> ArchiveEntry:
        self._refuse_twice(name)
        self._allowance.file(len(name), member.size)
        return _entry(name, member, member.size)

    def _file_name(self, folder: str, leaf: bytes, size: int) -> str:
        """Return the name of a file in a folder that is admitted."""
        name = f"{folder}/{leaf.decode(ENCODING, ERRORS)}"
        self._refuse_twice(name)
        self._allowance.file(len(name), size)
        return name

    def _link(self, name: str, member: Member) -> ArchiveEntry:
        self._take(name)
        same_as = self._link_target(name, member)
        size = self.records[same_as].size
        self._allowance.link(size)
        return _entry(name, member, size, same_as=same_as)

    def _take(self, name: str) -> None:
        self._refuse_twice(name)
        self._allowance.name(len(name))

    def _refuse_twice(self, name: str) -> None:
        if name in self.records or name in self._implied:
            raise BackupUnsafe(name, "the archive holds it twice")

    def _imply_parents(self, name: str) -> None:
        parent = name.rpartition("/")[0]
        while parent and parent not in self._implied:
            if (record := self.records.get(parent)) is not None:
                if record.is_folder:
                    return
                raise BackupUnsafe(name, f"{parent} is a file and a folder at once")
            self._allowance.name(len(parent))
            self._implied.add(parent)
            self._note_table(parent)
            parent = parent.rpartition("/")[0]

    def _note_table(self, folder: str) -> None:
        if folder.startswith("tables/") and folder.count("/") == 1:
            self._tables.add(folder)

    def _link_target(self, name: str, member: Member) -> str:
        target = _normal_name(member.link)
        if target not in self.records or self.records[target].is_folder:
            raise BackupUnsafe(
                name, f"a link to {target!r}, which is no earlier file of the archive"
            )
        return target


def _entry(
    name: str, member: Member, size: int, is_folder: bool = False, same_as: str | None = None
) -> ArchiveEntry:
    return ArchiveEntry(
        name, is_folder, member.mode, member.mtime_ns, size, member.uid, member.gid, same_as
    )


def _normal_name(name: bytes) -> str:
    """Return a member's name without `./` and trailing slashes; "" for the root itself."""
    text = name.decode(ENCODING, ERRORS)
    parts = text.rstrip("/").split("/")
    if text.startswith("/") or ".." in parts or "\0" in text:
        raise BackupUnsafe(text, "the name leads out of the database")
    return "/".join(part for part in parts if part not in ("", "."))
