"""A backup chosen in the words of people, on the command line."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from reedbase_backup.cli import messages
from reedbase_backup.cli.choosing.moments import picked
from reedbase_backup.cli.failures import Failed
from reedbase_backup.cli.quantities import NoTime

if TYPE_CHECKING:
    from reedbase_backup.picks import Pick


@contextmanager
def chosen(base: str, *words: str) -> Iterator[list[Pick]]:
    """Yield what picks the backups meant by `words`; raise Failed where that means none."""
    from reedbase_backup.catalogue import archive_names
    from reedbase_backup.errors import translated
    from reedbase_backup.picks import UnknownBackup

    with translated("list_backups"):
        names = archive_names(base)
    try:
        yield [picked(text, names, int(time.time())) for text in words]
    except NoTime as error:
        raise Failed("NoTime", str(error), error.advice, status=2) from error
    except UnknownBackup as error:
        raise Failed("UnknownBackup", str(error), messages.see_list(base)) from error


def archive_bytes(base: str, pick: Pick) -> int:
    """Return the size of the archive that is picked; 0 where there is none (any more)."""
    import os

    from reedbase_backup.catalogue import archive_names, archive_path
    from reedbase_backup.errors import BackupNotFound
    from reedbase_backup.picks import UnknownBackup

    try:
        return os.stat(archive_path(base, pick(archive_names(base)))).st_size
    except (OSError, BackupNotFound, UnknownBackup):
        return 0
