"""Mutants in the modes that a restore brings back."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mutants.conforming import Conforming
from mutants.model import Entry


class _Moded(Conforming):
    """Restores every entry with another mode, where `moded` says so."""

    breaks = "restore/modes"

    def moded(self, entry: Entry) -> int:
        raise NotImplementedError

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        super().write_entries(target, [e._replace(mode=self.moded(e)) for e in entries])


class NineBitModes(_Moded):
    """Set-group-id folders come back without that bit."""

    def moded(self, entry: Entry) -> int:
        return entry.mode & 0o777


class NoStickyFolders(_Moded):
    """Sticky folders come back without that bit."""

    def moded(self, entry: Entry) -> int:
        return entry.mode & ~stat.S_ISVTX if entry.is_folder else entry.mode


class NoSetGidInIndices(_Moded):
    """Set-group-id folders in indices/ come back without that bit."""

    def moded(self, entry: Entry) -> int:
        return entry.mode & ~stat.S_ISGID if entry.name.startswith("indices/") else entry.mode


class ModesBelowTheUmask(_Moded):
    """Modes come back less what the umask takes."""

    def moded(self, entry: Entry) -> int:
        return entry.mode & ~0o022


class ModesBelowTheirOwnUmask(_Moded):
    """Modes come back less what the umask of the process takes from group and others."""

    def moded(self, entry: Entry) -> int:
        umask = os.umask(0o022)
        os.umask(umask)
        return entry.mode & ~umask | entry.mode & 0o055


class ReadableFiles(_Moded):
    """A file that its owner may not read comes back as one that he may."""

    def moded(self, entry: Entry) -> int:
        return entry.mode if entry.is_folder else entry.mode | stat.S_IRUSR


class WritableFolders(_Moded):
    """A read-only folder comes back as one that its owner may write to."""

    def moded(self, entry: Entry) -> int:
        return entry.mode | stat.S_IWUSR if entry.is_folder else entry.mode


class GroupsRunFiles(_Moded):
    """Files that their owner may run come back as files that everybody may run."""

    def moded(self, entry: Entry) -> int:
        is_run = not entry.is_folder and entry.mode & stat.S_IXUSR
        return entry.mode | 0o011 if is_run else entry.mode


class BitsFromNowhere(_Moded):
    """Files that a group may write to come back as set-group-id."""

    def moded(self, entry: Entry) -> int:
        is_shared = not entry.is_folder and entry.mode & stat.S_IWGRP
        return entry.mode | stat.S_ISGID if is_shared else entry.mode


class Inherits(Conforming):
    """A folder in a set-group-id folder comes back with that bit, which it never had."""

    breaks = "restore/modes"

    def write_entries(self, target: Path, entries: list[Entry]) -> None:
        shared = {entry.name for entry in entries if entry.mode & stat.S_ISGID}
        super().write_entries(
            target,
            [
                e._replace(mode=e.mode | stat.S_ISGID)
                if e.is_folder and e.name.rpartition("/")[0] in shared
                else e
                for e in entries
            ],
        )
