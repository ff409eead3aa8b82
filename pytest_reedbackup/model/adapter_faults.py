"""What can go wrong between the harness and an implementation.

AdapterFault            never the implementation's broken promise: outcome `error`
├── Unusable            it cannot be started, or says hello to nothing we know
├── ProtocolViolation   a reply that PROTOCOL does not allow, with the raw line
│   └── Misfit          … because a value has other fields than its contract says
├── TimedOut            no reply in time; the process group was killed
├── Crashed             the process ended instead of replying
└── NotRecorded         a recording that is played back does not have this call
"""

from __future__ import annotations

from pytest_reedbackup.model.symptoms import symptom

_SHOWN_CHARACTERS = 500


class AdapterFault(Exception):
    """The adapter, the harness or the machine failed, not the implementation."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.log = log
        """The last lines of the adapter's stderr."""
        self.call = ""
        """The call that it happened in, as a person writes it."""
        self.hint = ""
        """What to do about it, where that is known."""

    @property
    def symptom(self) -> str:
        """What it has in common with other faults of the same cause."""
        return symptom(self.call.partition("(")[0], self.message)

    def __str__(self) -> str:
        words = ": ".join(filter(None, [self.call, self.message]))
        line = "; ".join(filter(None, [words, self.hint]))
        return f"{line}\n  its stderr ends:\n{self.log}" if self.log else line


class Unusable(AdapterFault):
    """The implementation cannot be used at all."""


class ProtocolViolation(AdapterFault):
    """A reply that the adapter protocol does not allow."""

    def __init__(self, reason: str, line: bytes, log: str = "") -> None:
        super().__init__(f"protocol violation: {reason}\n  the reply was: {excerpt(line)}", log)
        self.reason = reason

    @property
    def symptom(self) -> str:
        """What it has in common with others: the reason, whatever else the reply says."""
        return symptom(self.call.partition("(")[0], self.reason)


class Misfit(ProtocolViolation):
    """A value whose fields or types are not those of its contract."""


class TimedOut(AdapterFault):
    """No reply in time."""


class Crashed(AdapterFault):
    """The process ended instead of replying."""

    def __init__(self, message: str, log: str = "", status: int | None = None) -> None:
        super().__init__(message, log)
        self.status = status
        """With which exit status; below 0 by which signal. None where it had to be killed."""


class NotRecorded(AdapterFault):
    """A recording does not have what is asked of it."""


def excerpt(line: bytes | bytearray) -> str:
    """The beginning of what an adapter wrote, to be read."""
    text = (
        line[:_SHOWN_CHARACTERS]
        .decode("utf-8", "backslashreplace")
        .rstrip("\n")
        .replace("\n", "\\n")
    )
    more = f" … ({len(line)} bytes)" if len(line) > _SHOWN_CHARACTERS else ""
    return f"{text or '(empty)'}{more}"
