"""Backups at a far end: another disk, an SFTP server, S3, Google Cloud Storage.

    copy_backups(base_path, url) -> CopyReport
    list_remote(url) -> list[FarBackup]
    restore_from(url, base_path, pick) -> tuple[BackupName, RestoreReport]

A far end is a folder, or what is under a prefix, with archives under the names that they have in
backups/, and beside each its SHA-256, written once it was read back (`checksums`). Nothing there
is half under an archive's name at any time: `folders` and `objects` say how. All raise
RemoteError (`errors`); a `pick` is one of `reedbase_backup.picks`. What only far ends need is the
extra `remote`, loaded when a URL is opened.
"""

from reedbase_backup.remote.copying import Copied, CopyReport, copy_backups
from reedbase_backup.remote.errors import RemoteError
from reedbase_backup.remote.fetching import restore_from
from reedbase_backup.remote.listing import FarBackup, list_remote

__all__ = [
    "Copied",
    "CopyReport",
    "FarBackup",
    "RemoteError",
    "copy_backups",
    "list_remote",
    "restore_from",
]
