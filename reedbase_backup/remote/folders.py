"""Far ends that are folders: an archive is filled under another name, and gets its own by a rename.

The other name has the archive's SHA-256 in it, and nobody ever shortens such a file or removes
it before its archive is there: whoever fills it, and be it two at once, writes the same bytes at
the same places. So one that was cut off is continued, and what was once found right stays right.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from reedbase_backup.disk.durable import PARTIAL_PREFIX
from reedbase_backup.remote.errors import TransferDamaged
from reedbase_backup.remote.stores import ATTEMPTS, Source, digest

_PARTIAL = re.compile(re.escape(PARTIAL_PREFIX) + r"(.+)-[0-9a-f]{64}", re.ASCII)
# A file that others take away each time is given up at last.
_TURNS = 8


class Files(Protocol):
    """The files of one folder. All raise OSError, or what the library for it raises."""

    def sizes(self) -> dict[str, int]:
        """Return the files by name, with their sizes; none where there is no folder yet."""

    def make_folder(self) -> None:
        """Make the folder, closed to others, if it is not there; not the one above."""

    def read(self, name: str, offset: int) -> Iterator[bytes]:
        """Yield a file's content from `offset` on."""

    def write(self, name: str, offset: int, chunks: Iterable[bytes], size: int) -> None:
        """Write a file from `offset` on, durably, cut to `size` if it is longer.

        It is made, closed to others, if it is not there.
        """

    def rename_to_free(self, name: str, wanted: str) -> None:
        """Give a file the name `wanted`, durably. Raise FileExistsError where that is taken."""

    def rename_over(self, name: str, wanted: str) -> None:
        """Give a file the name `wanted`, whoever has it."""

    def remove(self, name: str) -> None:
        """Delete a file."""


def partial_name(name: str, sha256: str) -> str:
    """Return under which name a file of that content is filled before it gets `name`."""
    return f"{PARTIAL_PREFIX}{name}-{sha256}"


def named_later(partial: str) -> str | None:
    """Return which name the file `partial` was to get; None for one that is no such file."""
    match = _PARTIAL.fullmatch(partial)
    return match and match[1]


class Folder:
    """A folder as a Store; `guard` says what its errors are."""

    def __init__(self, files: Files, guard: Callable[[], AbstractContextManager[None]]) -> None:
        self._files = files
        self._guard = guard
        self.moved = 0

    def sizes(self) -> dict[str, int]:
        """Do as Store."""
        with self._guard():
            return self._files.sizes()

    def chunks(self, name: str, offset: int = 0) -> Iterator[bytes]:
        """Do as Store."""
        with self._guard():
            yield from self._counted(self._files.read(name, offset))

    def contents(self, names: Iterable[str]) -> dict[str, bytes]:
        """Do as Store."""
        found = {}
        with self._guard():
            for name in names:
                try:
                    found[name] = b"".join(self._files.read(name, 0))
                except FileNotFoundError:
                    continue
        return found

    def publish(
        self, name: str, source: Source, inspect: Callable[[str], object] = lambda _: None
    ) -> None:
        """Do as Store; `inspect` has a last look at the file before it gets its name."""
        partial = partial_name(name, source.sha256)
        with self._guard():
            self._files.make_folder()
            offset, attempts = self._files.sizes().get(partial, 0), 0
            for _ in range(_TURNS):
                try:
                    is_right = self._filled(partial, min(offset, source.size), source)
                    if is_right:
                        inspect(partial)
                        self._name(partial, name)
                        return
                except FileNotFoundError:
                    # Another copy was first, or somebody has removed it.
                    if name in self._files.sizes():
                        raise FileExistsError(name) from None
                else:
                    attempts += 1
                    if attempts == ATTEMPTS:
                        break
                # What is wrong in it is written anew, and never taken away.
                offset = 0
        raise TransferDamaged(
            f"{name} did not arrive as it was sent, {ATTEMPTS} times",
            "call it again; if that does not help, the disk or the way there is at fault",
        )

    def put(self, name: str, content: bytes) -> None:
        """Do as Store."""
        partial = partial_name(name, digest([content]))
        with self._guard():
            self._files.write(partial, 0, [content], len(content))
            try:
                self._files.rename_over(partial, name)
            except FileNotFoundError:
                # Another copy, which writes the same.
                if name not in self._files.sizes():
                    raise

    def remove(self, name: str) -> None:
        """Do as Store."""
        with self._guard():
            self._remove(name)

    def _remove(self, name: str) -> None:
        with suppress(FileNotFoundError):
            self._files.remove(name)

    def _filled(self, partial: str, offset: int, source: Source) -> bool:
        """Write what is missing from `offset` on, and return whether all is right then."""
        self._files.write(partial, offset, self._counted(source.chunks(offset)), source.size)
        return digest(self._counted(self._files.read(partial, 0))) == source.sha256

    def _name(self, partial: str, name: str) -> None:
        try:
            self._files.rename_to_free(partial, name)
        except FileExistsError:
            # Whoever else fills it would find the name taken, too.
            self._remove(partial)
            raise

    def _counted(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        for chunk in chunks:
            self.moved += len(chunk)
            yield chunk
