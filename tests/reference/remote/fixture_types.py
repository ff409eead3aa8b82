"""Types of the fixtures that tests of far ends share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from reedbase_backup.remote.opening import open_store
from reedbase_backup.remote.stores import Store
from reedbase_backup.remote.urls import place


@dataclass(frozen=True)
class Far:
    """A far end of one kind, with nothing there."""

    kind: str
    url: str

    @cached_property
    def store(self) -> Store:
        return open_store(place(self.url))

    def names(self) -> list[str]:
        return sorted(self.store.sizes())

    def read(self, name: str) -> bytes:
        return b"".join(self.store.chunks(name))


MakeFar = Callable[[str], Far]
