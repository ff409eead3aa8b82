"""An implementation of one contract, presented under the other.

Units and names are translated where one contract says what the other asks for.
What it does not say stays missing: it is `Unsaid`, never an invented value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from pytest_reedbackup.implementations.answers import Answer, Answered
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.model.failures import BrokenPromise, Cause
from reedbase_backup.adapter import protocol
from reedbase_backup.adapter.protocol import Contract
from reedbase_backup.types import U64_MAX

NANO = 10**9
_SUFFIX = ".tar.gz"


class Unsaid:
    """A field that the implementation's own type does not have.

    It equals no value but another unsaid one, so that two BackupInfos are
    compared by what they say; it is neither less nor more than anything. To use
    it in any other way breaks the promise.
    """

    def __init__(self, field: str, contract: Contract) -> None:
        self._field = field
        self._contract = contract

    def __repr__(self) -> str:
        return f"(not said by {self._contract})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unsaid) and self._field == other._field

    def __hash__(self) -> int:
        return hash(self._field)

    def _is_not_so(self, other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _is_not_so

    def _is_needed(self, *others: object) -> NoReturn:
        raise BrokenPromise(
            f"{self._field} of what came back",
            expected="a value",
            found=repr(self),
            cause=Cause.MISSING_FIELD,
        )

    __len__ = __iter__ = __contains__ = __getitem__ = _is_needed
    __int__ = __index__ = __float__ = __fspath__ = _is_needed
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _is_needed
    __truediv__ = __rtruediv__ = __floordiv__ = __rfloordiv__ = __mod__ = __rmod__ = _is_needed

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):  # a protocol that is looked for, not a value that is needed
            raise AttributeError(name)
        self._is_needed()


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


def _as_said(value: Any) -> str:
    """Return the repr of a Struct, without the fields that are missing."""
    said = {name: getattr(value, name) for name in value.__struct_fields__}
    fields = (f"{n}={field!r}" for n, field in said.items() if not isinstance(field, Unsaid))
    return f"{type(value).__name__}({', '.join(fields)})"


class TicketBackup(protocol.TicketBackup, frozen=True):
    __repr__ = _as_said


class TicketReport(protocol.TicketReport, frozen=True):
    __repr__ = _as_said


class LastReport(protocol.LastReport, frozen=True):
    __repr__ = _as_said

    def __post_init__(self) -> None:
        """Check nothing: the fields to check are missing."""


def _ticket_backup(info: Any, base: Path) -> Any:
    return TicketBackup(
        id=Path(info.path).name.removesuffix(_SUFFIX),
        timestamp=info.timestamp,
        size_bytes=info.size_bytes,
        table_count=_unsaid("table_count", "last"),
        compression=_unsaid("compression", "last"),
    )


def _ticket_report(report: Any) -> Any:
    return TicketReport(
        tables_restored=len(report.tables_restored),
        total_bytes=_unsaid("total_bytes", "last"),
        duration_ms=_unsaid("duration_ms", "last"),
    )


def _last_backup(info: Any, base: Path) -> Any:
    return protocol.LastBackup(
        timestamp=info.timestamp,
        path=str(base / "backups" / f"{info.id}{_SUFFIX}"),
        size_bytes=info.size_bytes,
        size_mb=info.size_bytes / 2**20,
    )


def _last_report(report: Any) -> Any:
    return LastReport(
        target_timestamp=_unsaid("target_timestamp", "ticket"),
        tables_restored=_unsaid("tables_restored", "ticket"),
        tables_skipped=_unsaid("tables_skipped", "ticket"),
        errors=_unsaid("errors", "ticket"),
    )


def _unsaid(field: str, contract: Contract) -> Any:
    return Unsaid(field, contract)


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
