"""What goes wrong with a far end, one class a kind.

RemoteError             what callers catch
├── BadUrl              the text is no place that is known, or has a password in it
├── MissingExtra        a package for this kind of place is not installed
├── Unreachable         the host or service does not answer
├── AccessRefused       it does not accept the credentials, or there are none
├── UnknownHostKey      an SSH server is none of those that are known
├── NoSuchPlace         the bucket, or the folder above, is not there
├── NoSpace             it is full
├── OtherArchive        another archive has the id already, there or here
├── TransferDamaged     what arrived is not what was sent
└── RemoteFailed        it refused an operation for another reason
"""

from __future__ import annotations


class RemoteError(Exception):
    """Base of all of them; `advice` says what to do."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice

    @property
    def kind(self) -> str:
        """The name of the class, for programs."""
        return type(self).__name__


class BadUrl(RemoteError):
    """The text is no place that is known, or has a password in it."""


class MissingExtra(RemoteError):
    """A package for this kind of place is not installed."""


class Unreachable(RemoteError):
    """The host or service does not answer, or no longer."""


class AccessRefused(RemoteError):
    """The far end does not accept the credentials, or there are none."""


class UnknownHostKey(RemoteError):
    """An SSH server's key is not among those that are known."""


class NoSuchPlace(RemoteError):
    """The bucket, or the folder above, is not there."""


class NoSpace(RemoteError):
    """The far end is full."""


class OtherArchive(RemoteError):
    """Another archive has the id already, and is not overwritten."""


class TransferDamaged(RemoteError):
    """What arrived is not what was sent."""


class RemoteFailed(RemoteError):
    """The far end refused an operation for a reason that is none of the others."""
