"""Files in the backups/ of a generated base, for list_backups to list or to leave out."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Literal

from msgspec import Struct

from pytest_reedbackup.databases.layout import finish_folder, make_folder, write_file

_ARCHIVE = gzip.compress(b"a backup", mtime=0)


class BackupFile(Struct, frozen=True):
    """One name in backups/, and what is there."""

    name: str
    kind: Literal["archive", "empty", "no-gzip", "cut", "folder", "link", "dangling"] = "archive"

    def write(self, folder: Path) -> None:
        """Write it to `folder`."""
        path = folder / self.name
        match self.kind:
            case "archive":
                write_file(path, _ARCHIVE)
            case "empty":
                write_file(path, b"")
            case "no-gzip":
                write_file(path, b"no archive at all")
            case "cut":
                write_file(path, _ARCHIVE[:-6])
            case "folder":
                finish_folder(make_folder(path))
            case "link":
                write_file(path.with_name(f"{self.name}.linked"), _ARCHIVE)
                path.symlink_to(f"{self.name}.linked")
            case "dangling":
                path.symlink_to("nowhere")
