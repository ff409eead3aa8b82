"""An implementation of one contract, presented under the other.

Units and names are translated where one contract says what the other asks for.
What it does not say stays missing, never an invented value: to read such a field
breaks the promise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, NoReturn

from msgspec import Struct

from pytest_reedbackup.implementations.answers import Answer, Answered
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from reedbase_backup.adapter import protocol
from reedbase_backup.adapter.protocol import Contract
from reedbase_backup.types import U64_MAX

# Where a call of an implementation fails, a user's test is to be shown, and not this file.
__tracebackhide__ = True

NANO = 10**9
_SUFFIX = ".tar.gz"


@dataclass(frozen=True)
class Translation:
    """How calls and values of contract `spoken` become those of contract `asked`."""

    spoken: Contract
    asked: Contract
    target: Callable[[int], int]
    """target_timestamp, from the asked contract's unit to the spoken one's."""
    backup: Callable[[Any, Path], Any]
    """A BackupInfo of the base."""
    report: Callable[[Any], Any]
    """A RestoreReport."""
    notes: tuple[str, ...]
    """What is translated how, and what cannot be, for the reader of a report."""

    def params(self, params: Mapping[str, int]) -> dict[str, int]:
        """Return what the implementation is sent; `now_ns` is the same in both contracts."""
        return {
            name: self.target(value) if name == "target_timestamp" else value
            for name, value in params.items()
        }

    def answer(self, method: str, answer: Answer, base: Path) -> Answer:
        """Return the implementation's answer under the asked contract; errors as they are."""
        if not isinstance(answer, Answered):
            return answer
        native = answer.value
        match method:
            case "create_backup":
                value = self.backup(native, base)
            case "list_backups":
                value = [self.backup(info, base) for info in native]
            case _:
                value = self.report(native)
        return replace(answer, value=value, untranslated=native)


def call(
    client: Client,
    method: str,
    contract: Contract,
    base: Path,
    timeout_secs: float,
    **params: int,
) -> Answer:
    """Call as `client.call` does; translate where only the other contract is claimed."""
    if contract in client.contracts:
        return client.call(method, contract, base, timeout_secs, **params)
    translation = TRANSLATIONS[client.contracts[0], contract]
    sent = translation.params(params)
    answer = client.call(method, translation.spoken, base, timeout_secs, **sent)
    return translation.answer(method, answer, base)


def foreign_type(spoken: Contract, asked: Contract, method: str) -> BrokenPromise:
    """Return what an answer of `method` in the type of `spoken` breaks of contract `asked`."""
    own, expected = protocol.fields(spoken, method), protocol.fields(asked, method)
    lacking = [name for name in expected if name not in own]
    return BrokenPromise(
        f"the fields of what {method} returns",
        expected=", ".join(expected),
        found=f"{', '.join(own)} (no {', '.join(lacking)})",
        cause=Cause.SHAPE,
    )


# The two directions ----------------------------------------------------------


def _last_of_second(seconds: int) -> int:
    """Return the last nanosecond of a second: what was written in it is at or before that.

    A nanosecond is a u64 too: later targets are the last one there is, at or
    before which every version is.
    """
    return min(seconds * NANO + NANO - 1, U64_MAX)


class _Partial(Struct, frozen=True):
    """A value with the fields that `spoken` says of those of its contract's type."""

    spoken: ClassVar[Contract]
    whole: ClassVar[type[Struct]]
    """The contract's type."""

    def __getattr__(self, name: str) -> NoReturn:
        """Raise BrokenPromise for a field of the contract's type that is missing."""
        if name not in self.whole.__struct_fields__:
            raise AttributeError(name, name=name, obj=self)
        raise BrokenPromise(
            f"{name} of what came back",
            expected="a value",
            found=f"(not said by {self.spoken})",
            cause=Cause.MISSING_FIELD,
        )


class TicketBackup(_Partial, frozen=True):
    spoken = "last"
    whole = protocol.TicketBackup

    id: str
    timestamp: int
    size_bytes: int


class TicketReport(_Partial, frozen=True):
    spoken = "last"
    whole = protocol.TicketReport

    tables_restored: int


class LastReport(_Partial, frozen=True):
    spoken = "ticket"
    whole = protocol.LastReport


def _ticket_backup(info: Any, base: Path) -> Any:
    return TicketBackup(
        id=Path(info.path).name.removesuffix(_SUFFIX),
        timestamp=info.timestamp,
        size_bytes=info.size_bytes,
    )


def _ticket_report(report: Any) -> Any:
    return TicketReport(tables_restored=len(report.tables_restored))


def _last_backup(info: Any, base: Path) -> Any:
    return protocol.LastBackup(
        timestamp=info.timestamp,
        path=str(base / "backups" / f"{info.id}{_SUFFIX}"),
        size_bytes=info.size_bytes,
        size_mb=info.size_bytes / 2**20,
    )


def _last_report(report: Any) -> Any:
    return LastReport()


TRANSLATIONS: Mapping[tuple[Contract, Contract], Translation] = {
    ("last", "ticket"): Translation(
        spoken="last",
        asked="ticket",
        target=_last_of_second,
        backup=_ticket_backup,
        report=_ticket_report,
        notes=(
            "target_timestamp: a restore to second t is sent as t·10⁹ + 999,999,999, the last"
            " nanosecond of that second, and at most 2⁶⁴-1",
            "BackupInfo: id is the file name in `path` without .tar.gz; what `last` does not say"
            " is missing: table_count, compression",
            "RestoreReport: tables_restored is how many tables the list of that name has; what"
            " `last` does not say is missing: total_bytes, duration_ms",
        ),
    ),
    ("ticket", "last"): Translation(
        spoken="ticket",
        asked="last",
        target=lambda nanoseconds: nanoseconds // NANO,
        backup=_last_backup,
        report=_last_report,
        notes=(
            "target_timestamp: a restore to nanosecond t is sent as the second that it lies in,"
            " t div 10⁹",
            "BackupInfo: path is backups/{id}.tar.gz in the base; size_mb is size_bytes / 1048576",
            "RestoreReport: the ticket's counts neither name tables nor versions nor errors, so"
            " all four fields are missing",
        ),
    ),
}
"""By the contract that is spoken and the one that is asked for."""
