"""The one thing that differs between ways to reach an implementation."""

from __future__ import annotations

from typing import Protocol


class Transport(Protocol):
    """A way to an adapter: one request there, its reply back."""

    def exchange(self, request: bytes, timeout_secs: float) -> bytes:
        """Send a line and return the reply's line, both without the line end.

        Raise TimedOut, Crashed or ProtocolViolation (a line over 64 MiB, output
        that no request asked for); after any of them the transport is closed.
        """
        ...

    def finish(self, timeout_secs: float) -> None:
        """Wait for an adapter that was asked to shut down; then the transport is closed.

        Raise TimedOut where it runs on, Crashed where its exit status is not 0,
        and ProtocolViolation for output after its last reply.
        """
        ...

    def log(self) -> str:
        """Return the last lines that the adapter wrote to stderr."""
        ...

    def close(self) -> None:
        """End the adapter; a second call does nothing."""
        ...
