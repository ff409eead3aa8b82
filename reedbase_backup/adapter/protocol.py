"""The adapter protocol's messages: JSON-RPC 2.0, one UTF-8 JSON object a line.

Both sides check what they receive against these types: an unknown or missing
field, a wrong type, or a number out of range is a protocol violation.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, get_args

import msgspec
from msgspec import Meta, Struct

from reedbase_backup.types import U64_MAX

VERSION: Final = 1
"""The protocol version that `hello` agrees on."""

MAX_LINE_BYTES = 64 * 1024 * 1024
"""The longest line that either side accepts."""


PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
IMPLEMENTATION_ERROR = -32000
"""The one code that is the implementation's; the others mean a wrong adapter or harness."""

UNFIT_VALUE: Final = "UnfitValue"
"""The kind of error that says: the function returned, and what it returned is not of its
contract's type, or cannot be sent at all. Only the adapter can know that it was not the adapter
who spoilt it. Its fields: `field`, where in the value, and `found`, what is there."""

Contract = Literal["ticket", "last"]
CONTRACTS: tuple[Contract, ...] = ("ticket", "last")

METHODS = ("create_backup", "list_backups", "restore_point_in_time")
"""The functions of an implementation, which the protocol has as methods."""

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What decoding raises for text that is not JSON, not UTF-8, nested too deep, or of other types."""

U64 = Annotated[int, Meta(ge=0, extra_json_schema={"maximum": U64_MAX})]
"""msgspec itself knows no bound above 2^63-1: `Message` looks at the rest."""

MAX_NOW_NS = U64_MAX * 10**9 + 10**9 - 1
"""The last nanosecond of the last u64 second; it needs more than 64 bits."""

TableError = Annotated[
    dict[str, Any],
    Meta(extra_json_schema={"properties": {"kind": {"type": "string"}}, "required": ["kind"]}),
]
"""An error in a report of contract `last`: its kind beside its fields."""


class Message(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all messages: every integer in them is a u64."""

    def __post_init__(self) -> None:
        # msgspec's own bounds end at 2^63-1.
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, int) and value > U64_MAX:
                raise ValueError(f"`{name}` is {value}, more than 2^64-1")


# Params ----------------------------------------------------------------------


class HelloParams(Message, frozen=True):
    protocol: int


class BaseParams(Message, frozen=True):
    """The params of list_backups."""

    contract: Contract
    base_path: str


class CreateParams(BaseParams, frozen=True):
    """`now_ns` is sent only to an adapter with the capability `clock`."""

    now_ns: (
        Annotated[int, Meta(ge=0, extra_json_schema={"maximum": MAX_NOW_NS})] | msgspec.UnsetType
    ) = msgspec.UNSET

    def __post_init__(self) -> None:
        if isinstance(self.now_ns, int) and self.now_ns > MAX_NOW_NS:
            raise ValueError(f"`now_ns` is {self.now_ns}, later than any u64 second")


class RestoreParams(BaseParams, frozen=True):
    """`target_timestamp` is in Unix seconds for `ticket`, in nanoseconds for `last`."""

    target_timestamp: U64


class ShutdownParams(Message, frozen=True):
    pass


PARAMS: Mapping[str, type[Message]] = {
    "hello": HelloParams,
    "create_backup": CreateParams,
    "list_backups": BaseParams,
    "restore_point_in_time": RestoreParams,
    "shutdown": ShutdownParams,
}


class Request(Message, frozen=True):
    """One request, before its params are checked against their method's type."""

    jsonrpc: Literal["2.0"]
    id: int | str
    method: str
    params: dict[str, Any] | list[Any] = {}


# Values ----------------------------------------------------------------------


class Hello(Message, frozen=True):
    """What an adapter says of itself and of the implementation behind it."""

    protocol: Literal[1]
    name: str
    version: str
    language: str
    contracts: list[Contract]
    capabilities: list[str]


class TicketBackup(Message, frozen=True):
    """BackupInfo of contract `ticket`."""

    id: str
    timestamp: U64
    size_bytes: U64
    table_count: U64
    compression: str


class TicketReport(Message, frozen=True):
    """RestoreReport of contract `ticket`."""

    tables_restored: U64
    total_bytes: U64
    duration_ms: U64


class LastBackup(Message, frozen=True):
    """BackupInfo of contract `last`."""

    timestamp: U64
    path: str
    size_bytes: U64
    size_mb: float


class LastReport(Message, frozen=True):
    """RestoreReport of contract `last`; a table's error is {"kind": …, its fields}."""

    target_timestamp: U64
    tables_restored: list[tuple[str, U64]]
    tables_skipped: list[str]
    errors: list[tuple[str, TableError]]

    def __post_init__(self) -> None:
        super().__post_init__()
        if any(timestamp > U64_MAX for _, timestamp in self.tables_restored):
            raise ValueError("a restored timestamp is more than 2^64-1")
        if any(not isinstance(error.get("kind"), str) for _, error in self.errors):
            raise ValueError("an error in `errors` has no `kind`")


VALUES: Mapping[tuple[Contract, str], Any] = {
    ("ticket", "create_backup"): TicketBackup,
    ("ticket", "list_backups"): list[TicketBackup],
    ("ticket", "restore_point_in_time"): TicketReport,
    ("last", "create_backup"): LastBackup,
    ("last", "list_backups"): list[LastBackup],
    ("last", "restore_point_in_time"): LastReport,
}
"""The type of `value` in the reply to each call, by contract and method."""


def fields(contract: Contract, method: str) -> tuple[str, ...]:
    """Return the names of the fields of what `method` returns, or of each in the list of it."""
    value = VALUES[contract, method]
    (struct,) = get_args(value) or (value,)
    names: tuple[str, ...] = struct.__struct_fields__
    return names


# Replies ---------------------------------------------------------------------


class CallResult(Message, frozen=True):
    """The result of a call; `elapsed_ns` is the time of the library call alone."""

    value: msgspec.Raw
    elapsed_ns: U64


class ShutdownResult(Message, frozen=True):
    value: None


class ErrorData(Message, frozen=True):
    """An error of the implementation: its ReedError variant's name and fields."""

    kind: str
    fields: dict[str, Any]
    elapsed_ns: U64


class ErrorObject(Message, frozen=True):
    code: int
    message: str
    data: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class Reply(Message, frozen=True):
    """One reply: either `result` or `error`, and the request's id."""

    jsonrpc: Literal["2.0"]
    id: int | str | None
    result: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    error: ErrorObject | msgspec.UnsetType = msgspec.UNSET

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.result is msgspec.UNSET) == (self.error is msgspec.UNSET):
            raise ValueError("a reply has either `result` or `error`")
