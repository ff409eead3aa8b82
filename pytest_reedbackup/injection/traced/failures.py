"""The ways in which one system call of a call can fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pytest_reedbackup.injection.traced.attached import Injection
from pytest_reedbackup.injection.traced.errors import ONCE_ONLY, errors_of
from pytest_reedbackup.injection.traced.points import Point

_MOST_SECS = 30.0
"""How long a call may take whose disk fails; undisturbed it takes a fraction of a second."""

_LOCK_SECS = 70.0
"""The same where a lock cannot be taken: it may be waited for as documented, up to 60 s."""

_LOCKS = ("flock",)

_OF_REQUESTS = ("read", "readv")


@dataclass(frozen=True, slots=True)
class Failure:
    """One system call, the error that it fails with, and whether all later ones do."""

    point: Point
    error: str
    for_good: bool

    @property
    def id(self) -> str:
        """Return what it is called on a command line: `rename#2 EIO`, for good `rename#2+ EIO`."""
        return f"{self.point.id}{'+' if self.for_good else ''} {self.error}"

    @property
    def injection(self) -> Injection:
        """Return what strace is to do."""
        return Injection.of_error(self.point, self.error, for_good=self.for_good)

    @property
    def most_secs(self) -> float:
        """Return how long the call may take."""
        return _LOCK_SECS if self.point.call in _LOCKS else _MOST_SECS

    @property
    def may_hit_requests(self) -> bool:
        """Return whether an adapter may have met it as it read its next request.

        It does so right after its answer, when strace has not quite let go of it. What strace did
        to a call that it lets go of, it does not write down.
        """
        return self.for_good and self.point.call in _OF_REQUESTS


def failures_at(point: Point) -> Iterator[Failure]:
    """Yield the ways in which a system call is made to fail."""
    for error in errors_of(point.call):
        yield Failure(point, error, for_good=False)
        if error != ONCE_ONLY:
            yield Failure(point, error, for_good=True)
