"""Mutants in what others put in the way: it is written through, emptied or moved away."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from mutants.conforming import Conforming
from mutants.in_place import is_folder, remove
from mutants.model import Archive, BackupInfo, Entry, RestoreReport
from mutants.tar_gz import ROOTS


class WritesToWhatIsThere(Conforming):
    """An archive is written to whatever has the temporary file's name."""

    breaks = "restore/planted"

    def write_archive(self, partial: Path, content: bytes) -> None:
        partial.write_bytes(content)
        partial.chmod(0o600)

    def tidy(self, backups: Path) -> None:
        pass


class OwnProcessOwnName(Conforming):
    """The temporary file has the process's id in its name, and is thought to be nobody else's."""

    breaks = "restore/planted"

    def write_archive(self, partial: Path, content: bytes) -> None:
        own = partial.with_name(f"unfinished-{os.getpid()}")
        own.touch(0o600)
        own.write_bytes(content)
        own.rename(partial)


class TemporaryInTmp(Conforming):
    """The tar is in the folder of all temporary files for a while, under one name for all."""

    breaks = "restore/planted"

    def write_archive(self, partial: Path, content: bytes) -> None:
        tar = Path("/tmp/mutants-database.tar")
        if not tar.exists():
            tar.touch(0o600)
        tar.write_bytes(content)
        tar.unlink()
        super().write_archive(partial, content)


class MarksItsWork(Conforming):
    """A note of the process's id is written by name into the base while a call lasts."""

    breaks = "restore/planted"

    def finish_swap(self, base: Path) -> None:
        super().finish_swap(base)
        note = base / "backup.pid"
        note.write_text("0")
        note.unlink()


class _Staging(Conforming):
    """Stages trees where something may be."""

    breaks = "restore/planted"

    def throw_away(self, base: Path) -> None:
        for name in (".swap", ".swapped"):
            remove(base / name)


class _Removing(_Staging):
    """Makes room for what is staged by `clear`."""

    def clear(self, staging: Path) -> None:
        raise NotImplementedError

    def install(self, base: Path, entries: list[Entry]) -> None:
        if os.path.lexists(base / ".staging"):
            self.clear(base / ".staging")
        super().install(base, entries)


class EmptiesTheStaging(_Removing):
    """What is in the staging folder is removed, be it another's folder behind a symlink."""

    def clear(self, staging: Path) -> None:
        if staging.is_dir():
            for child in staging.iterdir():
                shutil.rmtree(child) if is_folder(child) else child.unlink()


class OpensUpTheStaging(_Removing):
    """The staging folder is made one that can be removed, be it another's behind a symlink."""

    def clear(self, staging: Path) -> None:
        if staging.exists():
            staging.chmod(0o700)


class StagesWhereItIsLed(_Staging):
    """Trees are staged in the folder of that name, wherever it is."""

    def install(self, base: Path, entries: list[Entry]) -> None:
        staging = base / ".staging"
        staging.mkdir(exist_ok=True)
        for name in ("old", "kept", "new"):
            if is_folder(staging / name):
                shutil.rmtree(staging / name)
        for name in ("old", "kept"):
            (staging / name).mkdir(exist_ok=True)
        self.write_entries(staging / "new", entries)
        (staging / "journal").touch()
        staging.rename(base / ".swap")
        self.finish_swap(base)


class TrustsAnySwap(Conforming):
    """Whatever has the name of a swap is finished, symlinks in it and all."""

    breaks = "restore/planted"

    def is_own(self, swap: Path) -> bool:
        return (swap / "new").is_dir() and (swap / "old").is_dir()


class TrustsSwapsOfItsKind(Conforming):
    """A swap is finished if it is a folder with the right names in it, symlinks or not."""

    breaks = "restore/planted"

    def is_own(self, swap: Path) -> bool:
        return is_folder(swap) and {"new", "old"} <= set(os.listdir(swap))


class _IntoTheLiveTree(Conforming):
    """Writes the files of a backup where they are, by name."""

    breaks = "restore/planted"

    def keeps(self, path: Path) -> bool:
        raise NotImplementedError

    def install(self, base: Path, entries: list[Entry]) -> None:
        for entry in entries:
            if not entry.is_folder and self.keeps(base / entry.name):
                (base / entry.name).write_bytes(entry.content)
        super().install(base, entries)


class WritesThroughHardLinks(_IntoTheLiveTree):
    """A file that has other names is written in place, to keep them one file."""

    breaks = "restore/others-untouched"

    def keeps(self, path: Path) -> bool:
        return path.is_file() and not path.is_symlink() and path.stat().st_nlink > 1


class FillsDanglingLinks(_IntoTheLiveTree):
    """A symlink that leads nowhere gets its file."""

    def keeps(self, path: Path) -> bool:
        return path.is_symlink() and not path.exists() and path.parent.is_dir()


class FillsPipes(_IntoTheLiveTree):
    """A FIFO in the place of a file is written to."""

    def keeps(self, path: Path) -> bool:
        return path.is_fifo() and path.name == "current.csv"


class RemovesBehindLinks(Conforming):
    """The old tables are removed with what symlinks among them lead to."""

    breaks = "restore/planted"

    def retire(self, live: Path, old: Path) -> None:
        if live.is_symlink() and live.is_dir():
            for path in live.rglob("*"):
                if path.is_file():
                    path.unlink()
        super().retire(live, old)


class OpensUpTheOld(Conforming):
    """Old files are made removable first, be they others' behind symlinks."""

    breaks = "restore/planted"

    def retire(self, live: Path, old: Path) -> None:
        for path in live.glob("*/*"):
            if path.is_symlink() and path.exists():
                path.chmod(path.stat().st_mode | 0o200 | 0o002)
        super().retire(live, old)


class TouchesTheOld(Conforming):
    """Old files get the time of the restore, be they others' behind symlinks."""

    breaks = "restore/planted"

    def install(self, base: Path, entries: list[Entry]) -> None:
        for root in ROOTS:
            for path in (base / root).rglob("*.csv"):
                if path.is_file():
                    os.utime(path)
        super().install(base, entries)


class MakesLocksByName(Conforming):
    """Create opens each table's .lock to write, and makes what a dangling symlink leads to."""

    breaks = "restore/planted"

    def store(self, base: Path, seconds: int) -> Archive:
        for table in (base / "tables").iterdir():
            if (table / ".lock").is_symlink():
                (table / ".lock").open("ab").close()
        return super().store(base, seconds)


class NotesWhatItFinishes(Conforming):
    """A call that finds a killed restore to be finished writes a note of it, by name."""

    breaks = "restore/planted"
    shown_by = "ticket/restore/planted/after-killed-restore"
    at = "a symlink to a file"

    def create_backup(self, base_path: str, now_ns: int | None = None) -> BackupInfo | None:
        self.note(Path(base_path))
        return super().create_backup(base_path, now_ns)

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        self.note(Path(base_path))
        return super().restore_point_in_time(base_path, target_timestamp)

    def note(self, base: Path) -> None:
        if self.is_own(base / ".swap"):
            note = base / ".finishing"
            note.write_text("what was killed\n")
            note.unlink()


class TrustsItsJournal(Conforming):
    """A swap with a journal in it is finished, wherever it is."""

    breaks = "restore/planted"
    shown_by = "ticket/restore/planted/after-killed-restore"
    at = "elsewhere"

    def is_own(self, swap: Path) -> bool:
        return (swap / "journal").is_file()
