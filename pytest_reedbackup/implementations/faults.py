"""What can go wrong between the harness and an implementation.

AdapterFault            never the implementation's broken promise: outcome `error`
├── Unusable            it cannot be started, or says hello to nothing we know
├── ProtocolViolation   a reply that PROTOCOL does not allow, with the raw line
│   └── Misfit          … because a value has other fields than its contract says
├── TimedOut            no reply in time; the process group was killed
└── Crashed             the process ended instead of replying
"""

from __future__ import annotations

_SHOWN_CHARACTERS = 500


class AdapterFault(Exception):
    """The adapter, the harness or the machine failed, not the implementation."""

    def __init__(self, message: str, log: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.log = log
        """The last lines of the adapter's stderr."""

    def __str__(self) -> str:
        return f"{self.message}\n  its stderr ends:\n{self.log}" if self.log else self.message


class Unusable(AdapterFault):
    """The implementation cannot be used at all."""


class ProtocolViolation(AdapterFault):
    """A reply that the adapter protocol does not allow."""

    def __init__(self, reason: str, line: bytes, log: str = "") -> None:
        shown = line[:_SHOWN_CHARACTERS].decode("utf-8", "backslashreplace").rstrip("\n")
        more = f" … ({len(line)} bytes)" if len(line) > _SHOWN_CHARACTERS else ""
        super().__init__(
            f"protocol violation: {reason}; the reply was: {shown or '(empty)'}{more}", log
        )
        self.reason = reason


class Misfit(ProtocolViolation):
    """A value whose fields or types are not those of its contract."""


class TimedOut(AdapterFault):
    """No reply in time."""


class Crashed(AdapterFault):
    """The process ended instead of replying."""
