"""Who is held against what: an implementation and a contract, as a run has found them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from reedbase_backup.adapter.protocol import Contract, Hello


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How long the harness waits, in seconds (adapter protocol, "Time-outs")."""

    hello: float = 30.0
    call: float = 60.0


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a recording comes from."""

    implementation: str
    """Whose answers it holds, as given to --reedbackup-impl then."""
    time: str
    """When it was made; ISO 8601, UTC."""
    machine: str
    """Where it was made."""
    kit: str
    """The version of pytest-reedbackup that made it."""


@dataclass(frozen=True)
class Target:
    """One implementation to be held against one contract."""

    option: str
    contract: Contract
    hello: Hello
    clock: str
    """How its clock is set."""
    limits: TimeLimits
    clock_is_settable: bool = False
    in_process: bool = False
    recorded: Origin | None = None
    """What is played back, where it is no implementation that runs."""
    translation: tuple[str, ...] = ()
    """What is translated how, and what cannot be; for people."""

    @property
    def translated_from(self) -> Contract | None:
        """The contract that the implementation does claim, where `contract` is not claimed."""
        claimed = self.hello.contracts
        return None if self.contract in claimed else claimed[0]

    @property
    def names(self) -> frozenset[str]:
        """What a declared divergence may call it: as given, as it says itself, as recorded."""
        recorded = [self.recorded.implementation] if self.recorded else []
        return frozenset([self.option, self.hello.name, *recorded])

    def __str__(self) -> str:
        """Return what it is called in test names."""
        return f"{self.option}-{self.contract}"


def find_target(targets: Iterable[Target], option: str, contract: Contract) -> Target:
    """Return the one of `targets` that is an implementation, as given, under a contract."""
    return next(each for each in targets if (each.option, each.contract) == (option, contract))
