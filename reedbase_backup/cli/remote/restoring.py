"""Which backup of a far end is meant, and having it here to be restored."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from reedbase_backup.catalogue import BackupName
from reedbase_backup.cli.choosing.moments import picked
from reedbase_backup.cli.failures import Failed
from reedbase_backup.cli.interruption import interruptible
from reedbase_backup.cli.messages import quoted
from reedbase_backup.cli.printing import print_json, print_sentence
from reedbase_backup.cli.progress import shown
from reedbase_backup.cli.quantities import NoTime, date
from reedbase_backup.cli.remote import messages
from reedbase_backup.cli.remote.failing import far_failures
from reedbase_backup.errors import BackupCorrupted, BackupNotFound, BackupUnsafe, IoError
from reedbase_backup.meter import Meter
from reedbase_backup.picks import Pick, UnknownBackup, by_id
from reedbase_backup.remote.fetching import FarEnd, folder_beside


@contextmanager
def fetched(options: argparse.Namespace) -> Iterator[tuple[str, Pick]]:
    """Yield a base that has the backup that is meant, and what picks it there.

    That is the database itself, or, for --target, a folder that is there only meanwhile.
    """
    is_aside = options.target is not None
    with (
        far_failures(),
        folder_beside(options.target) if is_aside else nullcontext(options.base) as base,
    ):
        with interruptible(lambda: messages.fetch_interrupted(options.target or options.base)):
            far = FarEnd(options.source)
            name = _meant(far, options.to)
            with shown("Fetching", lambda: far.size(name)) as meter:
                _fetch(far, name, base, meter)
        yield base, by_id(name.id)


def preview(options: argparse.Namespace) -> int:
    """Say which archive a restore would fetch."""
    with far_failures():
        far = FarEnd(options.source)
        name = _meant(far, options.to)
        size_bytes = far.size(name)
    if options.json:
        print_json({"id": name.id, "timestamp": name.timestamp, "size_bytes": size_bytes})
    else:
        into = options.base
        print_sentence(messages.would_restore(name, far.place, size_bytes, into))
    return 0


def _fetch(far: FarEnd, name: BackupName, base: str, meter: Meter) -> None:
    try:
        far.fetch(name, base, meter)
    except (BackupCorrupted, BackupUnsafe) as error:
        advice = f"take another one: {_see_list(far)}"
        raise Failed(error.kind, str(error), advice, fields=error.fields) from error
    except IoError as error:
        if error.operation != "restore_base":
            raise
        advice = "give a folder that is not there yet, or is empty"
        raise Failed(error.kind, error.reason, advice, fields=error.fields) from error


def _see_list(far: FarEnd) -> str:
    return f"reedbackup list --from {quoted(str(far.place))} shows all"


def _meant(far: FarEnd, words: str) -> BackupName:
    advice = _see_list(far)
    try:
        return picked(words, far.names, int(time.time()))(far.names)
    except NoTime as error:
        raise Failed("NoTime", str(error), error.advice, status=2) from error
    except UnknownBackup as error:
        raise Failed("UnknownBackup", f"{error} at {far.place}", advice) from error
    except BackupNotFound as error:
        message = f"{far.place} has no backups"
        if error.oldest is not None:
            message += f" up to {date(error.target)}: the oldest is of {date(error.oldest)}"
        raise Failed("BackupNotFound", message, advice, fields=error.fields) from error
