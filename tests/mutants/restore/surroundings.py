"""Mutants in what a restore leaves alone: the rest of the base, and what is around it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from mutants.conforming import Conforming
from mutants.in_place import remove
from mutants.model import Archive, Entry, RestoreReport
from mutants.tar_gz import ROOTS, Members

# Everything else in the base --------------------------------------------------


class _Harming(Conforming):
    """Does something to the rest of the base after a restore as it should be."""

    breaks = "restore/others-untouched"

    def harm(self, base: Path) -> None:
        raise NotImplementedError

    def install(self, base: Path, entries: list[Entry]) -> None:
        super().install(base, entries)
        self.harm(base)


class ClearsTheBase(_Harming):
    """What is neither table nor index nor backup nor registry is removed."""

    def harm(self, base: Path) -> None:
        for path in base.iterdir():
            if path.name not in (*ROOTS, "backups", "registry"):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


class ResetsTheRegistry(_Harming):
    """registry/ loses what was written to it since."""

    def harm(self, base: Path) -> None:
        (base / "registry" / "users.dict").write_text("code|username|created_at\n")


class LogsToTheRegistry(_Harming):
    """The restore is noted in registry/."""

    def harm(self, base: Path) -> None:
        (base / "registry" / "restores.log").write_text("restored\n")


class RemovesLaterBackups(_Harming):
    """Backups later than the restored one are removed, as they are of another history."""

    def harm(self, base: Path) -> None:
        self.archives(base)[0].path.unlink()


class ConsumesTheBackup(Conforming):
    """The archive is gone once it is restored."""

    breaks = "restore/others-untouched"

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> RestoreReport:
        picked = self.pick(self.archives(Path(base_path)), target_timestamp)
        report = super().restore_point_in_time(base_path, target_timestamp)
        picked.path.unlink()
        return report


class BacksUpFirst(_Harming):
    """The restore leaves a backup of its own."""

    def harm(self, base: Path) -> None:
        self.store(base, 1_700_000_000)


class KeepsTheOldTrees(Conforming):
    """What was replaced stays as tables.old."""

    breaks = "restore/others-untouched"

    def retire(self, live: Path, old: Path) -> None:
        if live.is_dir():
            remove(live.with_name(f"{live.name}.old"))
            with suppress(shutil.Error):  # a FIFO cannot be copied
                shutil.copytree(live, live.with_name(f"{live.name}.old"), symlinks=True)
        super().retire(live, old)


class LeavesItsStaging(_Harming):
    """An empty staging folder remains."""

    def harm(self, base: Path) -> None:
        (base / ".staging").mkdir()


class StagesBesideTheBase(_Harming):
    """A staging folder remains in the folder around the base."""

    def harm(self, base: Path) -> None:
        (base.parent / ".staging").mkdir(exist_ok=True)


class WritesIntoLiveFiles(Conforming):
    """Files are written in place, and so under every other name that they have."""

    breaks = "restore/others-untouched"

    def install(self, base: Path, entries: list[Entry]) -> None:
        for entry in entries:
            path = base / entry.name
            if not entry.is_folder and path.is_file() and not path.is_symlink():
                path.write_bytes(entry.content)
        super().install(base, entries)


class RestoresTheRegistry(Conforming):
    """What an archive holds of registry/ is written too."""

    breaks = "restore/others-untouched"

    def admitted(self, archive: Archive, members: Members) -> list[Entry]:
        members = list(members)
        for member, content in members:
            if member.isreg() and member.name.startswith("registry/"):
                (archive.path.parent.parent / member.name).write_bytes(content)
        return super().admitted(archive, members)
