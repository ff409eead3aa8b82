"""Far ends in which an object appears whole, or not at all: S3, Google Cloud Storage, memory.

An archive gets its name at once. In S3, one of up to 32 MiB is one PUT; a larger one goes in
parts, and is there once the call that completes them has ended. Both say `If-None-Match: *`,
so that nothing is overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from fsspec.callbacks import Callback

from reedbase_backup.errors import from_os_error
from reedbase_backup.remote.errors import TransferDamaged
from reedbase_backup.remote.stores import ATTEMPTS, CHUNK, Source, digest
from reedbase_backup.remote.translating import far_errors, service_code
from reedbase_backup.remote.urls import Place

_PART = 16 << 20
# In memory at once: four parts.
_PARTS_AT_ONCE = 4
# Who does not know the condition says so (Backblaze B2: 501), and is asked before instead.
_NO_CONDITIONS = ("NotImplemented", "501")
_TAKEN = ("PreconditionFailed", "ConditionalRequestConflict", "412")


class Objects:
    """What is under a prefix, by an fsspec file system, as Store."""

    def __init__(self, place: Place, file_system: Any, path: str) -> None:
        self._place = place
        self._files = file_system
        self._path = path
        self.moved = 0

    def sizes(self) -> dict[str, int]:
        """Do as Store. Raise NoSuchPlace where there is no bucket."""
        with far_errors(self._place):
            try:
                entries = self._files.ls(self._path, detail=True, refresh=True)
            except FileNotFoundError as error:
                if service_code(error) == "NoSuchBucket":
                    raise
                return {}
        return {
            entry["name"].rpartition("/")[2]: entry["size"]
            for entry in entries
            if entry["type"] == "file"
        }

    def chunks(self, name: str, offset: int = 0) -> Iterator[bytes]:
        """Do as Store."""
        with far_errors(self._place), self._files.open(self._at(name), "rb") as file:
            file.seek(offset)
            while chunk := file.read(CHUNK):
                self.moved += len(chunk)
                yield chunk

    def contents(self, names: Iterable[str]) -> dict[str, bytes]:
        """Do as Store."""
        paths = {self._at(name): name for name in names}
        with far_errors(self._place):
            found = self._files.cat([*paths], on_error="return") if paths else {}
            for content in found.values():
                if isinstance(content, Exception) and not isinstance(content, FileNotFoundError):
                    raise content
        return {paths[path]: found[path] for path in paths if isinstance(found.get(path), bytes)}

    def publish(self, name: str, source: Source) -> None:
        """Do as Store."""
        for _ in range(ATTEMPTS):
            is_own = self._put_new(name, source.path)
            if digest(self.chunks(name)) == source.sha256:
                return
            if not is_own:
                break
            self.remove(name)
        raise TransferDamaged(
            f"{name} did not arrive as it was sent",
            "call it again; if that does not help, the store or the way there is at fault",
        )

    def put(self, name: str, content: bytes) -> None:
        """Do as Store."""
        with far_errors(self._place):
            self._files.pipe_file(self._at(name), content)

    def remove(self, name: str) -> None:
        """Do as Store."""
        with far_errors(self._place), suppress(FileNotFoundError):
            self._files.rm_file(self._at(name))

    def _put_new(self, name: str, path: str) -> bool:
        """Upload a file, and return whether the store has seen to it that the name was free."""
        given: dict[str, Any] = {"callback": _Counting(self)}
        if self._place.kind == "s3":
            given |= {"chunksize": _PART, "max_concurrency": _PARTS_AT_ONCE}
        with far_errors(self._place):
            try:
                self._files.put_file(path, self._at(name), mode="create", **given)
            except FileNotFoundError as error:
                if error.filename == path:
                    raise from_os_error(error, "copy") from error
                raise
            except OSError as error:
                if service_code(error) in _TAKEN:
                    raise FileExistsError(name) from error
                if service_code(error) not in _NO_CONDITIONS:
                    raise
            else:
                return True
            if self._files.exists(self._at(name)):
                raise FileExistsError(name)
            self._files.put_file(path, self._at(name), **given)
            return False

    def _at(self, name: str) -> str:
        return f"{self._path.rstrip('/')}/{name}"


class _Counting(Callback):  # type: ignore[misc]
    """Tells the Objects how far an upload is."""

    def __init__(self, objects: Objects) -> None:
        super().__init__()
        self._objects, self._before = objects, objects.moved

    def call(self, *_: Any, **__: Any) -> None:
        """Count what was sent by now."""
        self._objects.moved = self._before + self.value
