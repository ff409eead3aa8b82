"""What a recording holds: by case, each call, its answer, and what it changed on disk.

Paths and the targets of symlinks are percent-quoted, for a file name need not
be UTF-8; paths are relative to the folder around the base.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from msgspec import Struct

from pytest_reedbackup.model.failures import MissingCapability
from pytest_reedbackup.recording.unsupported import Unsupported
from reedbase_backup.adapter.protocol import Hello

FORMAT: Final = "pytest-reedbackup recording"
VERSION: Final = 1

CallKey = tuple[object, ...]
"""What a replay finds a call by."""


class Change(Struct, frozen=True, omit_defaults=True):
    """A name that a call made, or changed."""

    path: str
    kind: Literal["file", "folder", "symlink"]
    mode: int
    mtime_ns: int
    content: str = ""
    """The name of the blob that a file holds, or a symlink's target."""
    in_place: bool = False
    """Whether it is the same file as before, overwritten, and not one in its place."""


class RecordedFault(Struct, frozen=True):
    """What failed between the harness and the implementation, in place of an answer."""

    kind: str
    """The name of the class of AdapterFault."""
    message: str
    log: str


class RecordedCall(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call of a function; a replay finds it by the first four fields."""

    method: str
    contract: str
    params: dict[str, int]
    """Without the base path."""
    before: str
    """The digest of the base before the call (see `state`)."""
    reply: dict[str, Any] = {}
    """The adapter's reply, with marks for the paths and 0 for its id."""
    verbatim: bytes = b""
    """The reply where it is no JSON object, or has another id than the request."""
    fault: RecordedFault | None = None
    gone: list[str] = []
    changes: list[Change] = []

    @property
    def key(self) -> CallKey:
        """Return what the call is found by."""
        return self.method, self.contract, tuple(sorted(self.params.items())), self.before


class RecordedSkip(Struct, frozen=True):
    """The missing capability that a case was skipped for when it was recorded."""

    capability: str
    sentence: str
    tool: bool

    def missing(self) -> MissingCapability:
        """Return the reason to skip the case in a replay, too."""
        sentence = f"{self.sentence} (when it was recorded)"
        return MissingCapability(self.capability, sentence, tool=self.tool)


class RecordedCase(Struct, kw_only=True, omit_defaults=True):
    """What one case asked of the implementation, and got."""

    outcome: str = ""
    """How it ended when it was recorded."""
    skipped: RecordedSkip | None = None
    needs: Unsupported | None = None
    """What it used that no recording can hold."""
    started: int | None = None
    """Where a clock of capability `clock` stood when the case began, in Unix seconds."""
    seconds: list[int] = []
    """What another clock said, each time that it was asked."""
    calls: list[RecordedCall] = []

    def missing(self) -> MissingCapability | None:
        """Return the reason to skip the case in a replay; None where it can be played back."""
        if self.needs is not None:
            return self.needs.missing()
        return None if self.skipped is None else self.skipped.missing()


class Header(Struct, frozen=True, kw_only=True):
    """The implementation that was recorded, and the run."""

    format: str
    version: int
    kit: str
    """The version of pytest-reedbackup."""
    recorded: str
    """ISO 8601, UTC."""
    machine: dict[str, str]
    implementation: str
    """As given to --reedbackup-impl."""
    in_process: bool
    hello: Hello
    contracts: list[str]
    """The contracts that it was held against."""
    clock: str
    """How its clock was set."""
    clock_is_settable: bool
    seed: int
    examples: int
    shares: int
    """Into how many parts the fuzzing campaigns were divided (pytest-xdist)."""
    umask: int


class Recording(Struct, frozen=True):
    """A whole recording, except for the contents of files."""

    header: Header
    cases: dict[str, RecordedCase]
