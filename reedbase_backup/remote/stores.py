"""What a far end can do, whichever it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

CHUNK = 4 << 20
"""How many bytes are sent or read at a time."""

ATTEMPTS = 2
"""How often an archive is sent whole before it is said that it does not arrive."""


@dataclass(frozen=True, slots=True)
class Source:
    """An archive to be sent or fetched."""

    path: str
    """Where it is on this machine; empty for one at a far end."""
    size: int
    sha256: str
    """Hexadecimal."""
    chunks: Callable[[int], Iterator[bytes]]
    """Gives its content from an offset on; its errors are none of the place that it goes to."""


class Store(Protocol):
    """One far end: a folder there, or what is under a prefix. All raise RemoteError."""

    moved: int
    """Bytes sent and read so far."""

    def sizes(self) -> dict[str, int]:
        """Return the files there by name, with their sizes; none where there is no folder yet."""

    def chunks(self, name: str, offset: int = 0) -> Iterator[bytes]:
        """Yield a file's content from `offset` on."""

    def contents(self, names: Iterable[str]) -> dict[str, bytes]:
        """Return the content of small files; of those that are not there any more, nothing."""

    def publish(self, name: str, source: Source) -> None:
        """Have `source` appear there under `name`, whole, and read back and compared.

        Raise FileExistsError where the name is taken, TransferDamaged where it does not arrive.
        """

    def put(self, name: str, content: bytes) -> None:
        """Write a small file, over another one of that name."""

    def remove(self, name: str) -> None:
        """Delete a file; one that is not there any more is deleted."""


def digest(chunks: Iterable[bytes]) -> str:
    """Return the SHA-256 of a content, hexadecimal."""
    hasher = sha256()
    for chunk in chunks:
        hasher.update(chunk)
    return hasher.hexdigest()
