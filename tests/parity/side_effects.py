"""The port, with a side effect after each restore or create."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reedbase_backup import last
from reedbase_backup.last.divergences import DIVERGENCES


class PortWithSideEffect:
    """The port; subclasses say what it does besides."""

    name, version, contracts = "port with a side effect", "1", ("last",)
    declared = DIVERGENCES

    def create_backup(self, base_path: str) -> Any:
        info = last.create_backup(base_path)
        self.after_create(Path(info.path))
        return info

    def list_backups(self, base_path: str) -> Any:
        return last.list_backups(base_path)

    def restore_point_in_time(self, base_path: str, target_timestamp: int) -> Any:
        report = last.restore_point_in_time(base_path, target_timestamp)
        self.after_restore(Path(base_path), Path(base_path) / "tables" / "text")
        return report

    def after_restore(self, base: Path, table: Path) -> None: ...

    def after_create(self, archive: Path) -> None: ...


def _newest(table: Path) -> Path:
    return max(table.glob("*.bsdiff"), key=lambda path: int(path.stem))


class ChangesAMode(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (table / "current.csv").chmod(0o640)


class ChangesTheLogsMode(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (table / "version.log").chmod(0o640)


class AddsAFile(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (table / "current.csv.bak").write_bytes(b"")


class AddsAFileElsewhere(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (base / "restored").write_bytes(b"")


class ChangesTheRegistry(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (base / "registry" / "users.dict").chmod(0o600)


class LeavesATemporaryFile(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (table / "rollback.tmp").write_bytes(b"")


class DropsAnOldDelta(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (table / "1.bsdiff").unlink()


class WritesNoDelta(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        _newest(table).unlink()


class WritesAnotherDelta(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        path = _newest(table)
        path.write_bytes(path.read_bytes()[:-1] + b"\0")


class WritesAnEarlierVersion(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        path, log = _newest(table), table / "version.log"
        path.rename(table / "1.bsdiff")
        log.write_bytes(log.read_bytes().replace(path.stem.encode(), b"1"))


class RewritesTheLog(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        log = table / "version.log"
        log.write_bytes(log.read_bytes().replace(b"|5|", b"|1|", 1))


class AddsTwoLines(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        log = table / "version.log"
        log.write_bytes(log.read_bytes() + log.read_bytes().splitlines(keepends=True)[-1])


class RemovesTheLog(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (table / "version.log").unlink()


class ChangesTheContent(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (table / "current.csv").write_bytes(b"other\n")


class WritesOutside(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (base.parent / "outside.txt").write_bytes(b"")


class AddsABlankLine(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        log = table / "version.log"
        *before, last = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join([*before, b"\n", last]))


class AddsAUser(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        with (base / "registry" / "users.dict").open("ab") as users:
            users.write(b"9|nobody|1700000000\n")


class WritesADeltaMore(PortWithSideEffect):
    def after_restore(self, base: Path, table: Path) -> None:
        (table / "17.bsdiff").write_bytes(b"")


class SpoilsTheTar(PortWithSideEffect):
    def after_create(self, archive: Path) -> None:
        content = gzip.decompress(archive.read_bytes()).replace(b".reed", b".read")
        archive.write_bytes(gzip.compress(content))


class LeavesAMemberOut(PortWithSideEffect):
    def after_create(self, archive: Path) -> None:
        command = ["tar", "-czf", str(archive), "-C", str(archive.parents[2]), "--exclude=*.csv"]
        subprocess.run([*command, "--exclude=backups", archive.parents[1].name], check=True)


class CutsTheArchive(PortWithSideEffect):
    def after_create(self, archive: Path) -> None:
        archive.write_bytes(archive.read_bytes()[:-8])


class NamesItOtherwise(PortWithSideEffect):
    def after_create(self, archive: Path) -> None:
        archive.rename(archive.with_name(f"{archive.name}.bak"))


class ChangesTheSource(PortWithSideEffect):
    def after_create(self, archive: Path) -> None:
        (archive.parents[1] / "tables" / "text" / "current.csv").chmod(0o640)


EXPECTED_LINES: Mapping[type[PortWithSideEffect], str] = {
    ChangesAMode: "changed besides: tables/text/current.csv",
    ChangesTheLogsMode: "changed besides: tables/text/version.log",
    AddsAFile: "changed besides: tables/text/current.csv.bak",
    AddsAFileElsewhere: "changed: restored",
    ChangesTheRegistry: "changed: registry/users.dict",
    LeavesATemporaryFile: "left behind: tables/text/rollback.tmp",
    DropsAnOldDelta: "changed besides: tables/text/1.bsdiff",
    WritesNoDelta: "the new version: it has no delta",
    WritesAnotherDelta: "the new version: its delta does not lead to current.csv",
    WritesAnEarlierVersion: "the new version: its timestamp is not later than all others",
    RewritesTheLog: "tables/text/version.log has changed otherwise than by one line",
    AddsTwoLines: "tables/text/version.log has changed otherwise than by one line",
    RemovesTheLog: "changed besides: tables/text/version.log",
    ChangesTheContent: "current.csv: other content",
    WritesOutside: "changed: outside.txt: a file that was not there",
    AddsABlankLine: "version.log: one line more, action 2, user 0, after a blank one",
    AddsAUser: "users.dict: one line more, 9|nobody|now",
    WritesADeltaMore: "deltas that no log line names: 1",
    SpoilsTheTar: "expected a plain tar",
    LeavesAMemberOut: "tables/text/current.csv: missing",
    CutsTheArchive: "but it is",
    NamesItOtherwise: "new in backups/ is",
    ChangesTheSource: "changed: tables/text/current.csv",
}
"""A part of the line that must be observed of each."""

AFTER_A_RESTORE = [
    kind for kind in EXPECTED_LINES if kind.after_restore is not PortWithSideEffect.after_restore
]
"""Those that change something after a restore."""
