"""Faults for users' own tests, to be called in them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from pytest_reedbackup.injection.power.disks import FileSystem
from pytest_reedbackup.injection.programs.changes import Check, Checked
from pytest_reedbackup.injection.programs.sweeps import ChangeSweep
from pytest_reedbackup.injection.programs.waiting import Change
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.failures import BrokenPromise, MissingCapability
from pytest_reedbackup.model.sweep import Sweep

_SECS = 60.0


@dataclass(frozen=True)
class _Faults:
    kept: Path
    """The folder in which databases are kept as they were found at broken points."""
    account: Callable[[Sweep], str]
    """Says what came of a sweep that has a broken point."""

    def _result(self, sweep: Sweep) -> int:
        __tracebackhide__ = True
        if sweep.first_broken is not None:
            raise AssertionError(self.account(sweep))
        return sweep.visited


class PowerCut(_Faults):
    """Pulls the plug in the midst of a change of a database, at each system call."""

    def __call__(
        self,
        base: Path,
        change: Change,
        check: Check,
        *,
        after_success: Check | None = None,
        disk: str = "ext4",
        kill_only: bool = False,
        most: int | None = None,
        only: Collection[str] = (),
        secs: float = _SECS,
    ) -> int:
        """Return at how many points the plug was pulled.

        Each time `change` is made to a fresh copy of the database `base`, and `check` gets the
        path of what is there when the power is back: as at once, after the file system has
        written its journal, and after it has written all. Where the change had ended with
        success, `after_success` gets it instead: then it may not be lost any more.

        `disk`: a file system: ext4, xfs, btrfs. `kill_only`: the process is killed and the power
        stays, which needs no root. `most`: so many points, evenly chosen; `only`: these alone.
        `secs`: how long the change may take.

        Raise AssertionError at the first point at which a check raised anything, or where the
        change fails undisturbed. Skip the test where no power can be cut.
        """
        __tracebackhide__ = True
        checked = Checked(change, check, after_success or check, secs)
        with _told():
            sweep = ChangeSweep(base, checked, most, only, self.kept)
            return self._result(sweep.cuts(None if kill_only else FileSystem(disk)))


class FailingCalls(_Faults):
    """Has each system call fail that changes a database, once and for good."""

    def __call__(
        self,
        base: Path,
        change: Change,
        check: Check,
        *,
        after_success: Check | None = None,
        errors: Collection[str] = ("ENOSPC", "EIO"),
        most: int | None = None,
        only: Collection[str] = (),
        secs: float = _SECS,
    ) -> int:
        """Return at how many points a call failed.

        Each time `change` is made to a fresh copy of the database `base`; `check` gets its path
        where the change ended with an error, `after_success` where it ended with success: a
        command by its exit status, a function by what it raises. The other arguments are as of
        PowerCut. Raise AssertionError, and skip the test, as that does.
        """
        __tracebackhide__ = True
        checked = Checked(change, check, after_success or check, secs)
        with _told():
            sweep = ChangeSweep(base, checked, most, only, self.kept)
            return self._result(sweep.failures(errors))


@contextmanager
def _told() -> Iterator[None]:
    """Make a skip of what is missing, and an error of the test of a change that fails by itself."""
    __tracebackhide__ = True
    try:
        yield
    except MissingCapability as missing:
        raise pytest.skip.Exception(str(missing)) from missing
    except AdapterFault as fault:
        raise AssertionError(f"the change fails undisturbed: {fault}") from fault
    except BrokenPromise as broken:
        raise AssertionError(f"the change fails undisturbed: {broken.found}") from broken
