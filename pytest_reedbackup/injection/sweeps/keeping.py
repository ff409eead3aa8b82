"""The verdict on a point, with the database as it was found where it is broken."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from pytest_reedbackup.databases.clone import clone_tree, remove_tree
from pytest_reedbackup.injection.sweeps.sweeper import judged
from pytest_reedbackup.model.sweep import PointOutcome, PointResult


@dataclass(frozen=True)
class Keeping:
    """Judges points of a sweep."""

    kept: Path
    """Where databases are kept, one folder a broken point."""

    def judged(
        self,
        point: str,
        about: str,
        base: Path,
        check: Callable[[], None],
        trace: Callable[[], Sequence[str]] = tuple,
    ) -> PointResult:
        """Return what `check` makes of a point; where it is broken, keep what is around `base`.

        `trace` is then asked for the system calls to be shown.
        """
        result = judged(point, about, check)
        if result.outcome is not PointOutcome.BROKEN:
            return result
        place = self.kept / point.replace("/", "_")
        keep(base.parent, place)
        return msgspec.structs.replace(result, trace=trace(), kept=str(place))


def keep(base: Path, kept: Path) -> None:
    """Copy a database as it is now: what judges it makes calls on it."""
    remove_tree(kept)
    kept.parent.mkdir(parents=True, exist_ok=True)
    clone_tree(base, kept)


def judged_by_calls(
    point: str,
    about: str,
    check: Callable[[], None],
    kept: Path,
    moment: str = "",
    trace: Sequence[str] = (),
) -> PointResult:
    """Return what `check` makes of a point; where it is not broken, remove what `keep` has kept."""
    result = judged(point, about, check, moment=moment, trace=trace, kept=str(kept))
    if result.outcome is not PointOutcome.BROKEN:
        remove_tree(kept)
    return result


def stood(point: str, about: str) -> PointResult:
    """Return that a point is as promised, where there is nothing to be checked."""
    return PointResult(point=point, path=about, outcome=PointOutcome.KEPT)


def not_reached(point: str, about: str) -> PointResult:
    """Return that a call had ended before it came to a point."""
    return PointResult(point=point, path=about, outcome=PointOutcome.NOT_REACHED)
