"""A backup chosen in the words of people, on the command line."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from reedbase_backup.catalogue import SUFFIX, BackupName, archive_names, archive_path
from reedbase_backup.cli import messages
from reedbase_backup.cli.choosing.moments import picked
from reedbase_backup.cli.failures import Failed
from reedbase_backup.cli.quantities import NoTime
from reedbase_backup.errors import BackupNotFound, translated
from reedbase_backup.picks import Pick, UnknownBackup


@contextmanager
def chosen(base: str, *words: str) -> Iterator[list[Pick]]:
    """Yield what picks the backups meant by `words`; raise Failed where that means none."""
    with translated("list_backups"):
        names = archive_names(base)
    try:
        yield [picked(text, names, int(time.time())) for text in words]
    except NoTime as error:
        raise Failed("NoTime", str(error), error.advice, status=2) from error
    except UnknownBackup as error:
        raise Failed("UnknownBackup", str(error), messages.see_list(base)) from error


def picked_bytes(base: str, pick: Pick) -> int:
    """Return the size of the archive that is picked; 0 where there is none."""
    try:
        return archive_bytes(base, pick(archive_names(base)))
    except (OSError, BackupNotFound, UnknownBackup):
        return 0


def all_bytes(base: str, ids: Collection[str]) -> int:
    """Return the sum of the sizes of the archives of `ids`, or of all where that is empty."""
    try:
        names = archive_names(base)
    except OSError:
        return 0
    chosen = {one.removesuffix(SUFFIX) for one in ids}
    return sum(archive_bytes(base, name) for name in names if not ids or name.id in chosen)


def archive_bytes(base: str, name: BackupName) -> int:
    """Return the size of a backup's archive; 0 where there is none any more."""
    try:
        return os.stat(archive_path(base, name)).st_size
    except OSError:
        return 0
