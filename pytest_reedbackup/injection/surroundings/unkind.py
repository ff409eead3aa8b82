"""File systems that lack something: each refuses, for good, what some file systems do not have.

strace has the system calls fail. What a call does not use is not refused to it.
"""

from __future__ import annotations

import platform
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from pytest_reedbackup.injection.surroundings.ordeals import Hardship, Ordeals
from pytest_reedbackup.injection.sweeps.disturbed import disturbed
from pytest_reedbackup.injection.traced.attached import Injection, Refusal, attached
from pytest_reedbackup.injection.traced.points import (
    FALLIBLE,
    all_points,
    points_where,
    require_seen,
)
from pytest_reedbackup.injection.traced.served import Served
from pytest_reedbackup.injection.traced.strace import OPENS
from pytest_reedbackup.injection.traced.system_calls import MAKING_FOLDERS, SystemCall

_SHOWN = 12
"""How many of the system calls that failed are shown."""

_SYNCS = ("fsync", "fdatasync")


@dataclass(frozen=True)
class Lack:
    """What a file system does not have."""

    name: str
    calls: Sequence[str]
    errors: Sequence[str]
    """What it answers instead: any of them."""
    is_no_excuse: Sequence[str] = ()
    """The errors with which a restore must succeed all the same (rule restore/placement)."""


_HAS_PLAIN_RENAMES = platform.machine() in ("x86_64", "aarch64")

LACKS = (
    Lack(
        "hard links",
        ("link", "linkat"),
        ("EPERM", "EOPNOTSUPP", "EMLINK"),
        is_no_excuse=("EPERM", "EOPNOTSUPP"),
    ),
    Lack("flock", ("flock",), ("ENOLCK", "EOPNOTSUPP", "ENOSYS")),
    Lack("copy_file_range", ("copy_file_range",), ("EOPNOTSUPP", "EXDEV", "ENOSYS")),
    Lack("reflinks", ("ioctl",), ("EOPNOTSUPP",)),
    # Where every rename is a renameat2, those without flags fail, too.
    *([Lack("flags of renames", ("renameat2",), ("EINVAL",))] if _HAS_PLAIN_RENAMES else []),
    Lack("fallocate", ("fallocate",), ("EOPNOTSUPP",)),
    Lack("statx", ("statx",), ("ENOSYS",)),
    Lack("openat2", ("openat2",), ("ENOSYS",)),
    Lack("times", ("utimensat", "utime", "utimes", "futimesat"), ("EPERM",)),
    Lack("modes", ("chmod", "fchmod", "fchmodat", "fchmodat2"), ("EPERM", "EOPNOTSUPP")),
    Lack("owners", ("chown", "fchown", "lchown", "fchownat"), ("EPERM",)),
    Lack("extended attributes", ("setxattr", "fsetxattr", "lsetxattr"), ("EOPNOTSUPP",)),
)
_TRACED = (*FALLIBLE, "openat2")


def lacks(ordeals: Ordeals, *, must_work: bool) -> list[Hardship]:
    """Return a hardship for all that file systems may lack and the call makes use of.

    `must_work`: the call must succeed without hard links, and where folders cannot be synced.
    Raise MissingCapability where nothing of the call is seen, BrokenPromise where it is refused.
    """
    with ordeals.ground() as base, ordeals.reserve.process() as process:
        call = disturbed(process.pid, lambda: ordeals.swept.make(process, base), _TRACED)
        inside = str(base.parent.resolve())
        call.expect_success()
        require_seen(all_points(call.trace, inside))
        folders = _folders(call.trace, base.parent)
    syncing = [each for each in call.trace if _syncs_one_of(folders, each)]
    return [
        *_without_what_it_uses(call.trace, must_work),
        *_without_sync_of(folders & {each.paths[0] for each in syncing}, must_work),
        *_at_points(call.trace, inside, "EINVAL", syncing, must_work),
        *_at_points(call.trace, inside, "EOPNOTSUPP", _without_names(call.trace), False),
    ]


def _without_what_it_uses(calls: Sequence[SystemCall], must_work: bool) -> Iterator[Hardship]:
    used = {call.name for call in calls}
    for lack in LACKS:
        if used.isdisjoint(lack.calls):
            continue
        for number, error in enumerate(lack.errors, 1):
            refusal = Refusal(lack.calls, error)
            must = must_work and error in lack.is_no_excuse
            yield _hardship(f"no {lack.name} {error}", refusal, f"no {lack.name}", number, must)


def _without_sync_of(folders: Collection[str], must_work: bool) -> Iterator[Hardship]:
    """Yield what happens on such a file system, as far as names of folders come again."""
    row = "no sync of folders"
    for number, error in enumerate(("EINVAL", "EOPNOTSUPP") if folders else (), 1):
        refusal = Refusal(_SYNCS, error, sorted(folders))
        yield _hardship(f"{row} {error}", refusal, row, number, must_work)


def _at_points(
    calls: Sequence[SystemCall],
    inside: str,
    error: str,
    chosen: Sequence[SystemCall],
    must_work: bool,
) -> Iterator[Hardship]:
    """Yield what strace cannot choose by name or path: it refuses each of them by its number."""
    for point in points_where(calls, inside, lambda call: any(call is one for one in chosen)):
        injection = Injection.of_error(point, error)
        yield _hardship(f"{point.id} {error}", injection, point.call, point.number, must_work)


def _hardship(
    point: str, injection: Injection | Refusal, row: str, number: int, must_work: bool
) -> Hardship:
    return Hardship(
        point,
        partial(_injected, injection),
        row=row,
        number=number,
        must_work=must_work,
        is_traced=True,
    )


@contextmanager
def _injected(
    injection: Injection | Refusal, base: Path, process: Served, shown: list[str]
) -> Iterator[None]:
    with ExitStack() as ended:
        trace = ended.enter_context(attached(process.pid, _TRACED, injection))
        try:
            yield
        finally:  # a promise be broken or not
            ended.close()  # strace has written all then
            failed = [call for call in trace.calls() if call.is_injected]
            inside = str(base.parent.resolve())
            shown += [call.shown(inside) for call in failed[:_SHOWN]]


def _folders(calls: Iterable[SystemCall], around: Path) -> frozenset[str]:
    """Return what is known to be a folder: it was made or opened as one, or is one still."""
    made = {path for call in calls if call.name in MAKING_FOLDERS for path in call.paths}
    opened = {call.opened for call in calls if "O_DIRECTORY" in call.flags}
    there = {str(path) for path in around.resolve().rglob("*") if path.is_dir()}
    return frozenset({*made, *opened, *there})


def _syncs_one_of(folders: Collection[str], call: SystemCall) -> bool:
    return call.name in _SYNCS and call.paths[:1] != () and call.paths[0] in folders


def _without_names(calls: Iterable[SystemCall]) -> list[SystemCall]:
    return [call for call in calls if call.name in OPENS and "O_TMPFILE" in call.flags]
