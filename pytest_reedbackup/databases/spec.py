"""What a database is to look like: descriptions to build and cache one from.

A description is a frozen value. Two that are equal have the same `key()` and
build the same tree, byte for byte, modes and mtimes included.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

# Part of every key: raise it when the same description builds another tree.
FORMAT_VERSION: Final = 3

Contents = Literal["text", "binary"]

# What ReedBase keeps in its tables; further tables are numbered.
TABLE_NAMES: Final = ("text", "routes", "content", "users", "server", "meta", "media", "project")


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    """A regular database: tables of rows, each with its history of versions.

    tables        how many tables, or their names
    rows          rows in all current versions together, spread evenly: the
                  first tables take what does not divide
    versions      versions of each table; the oldest is stored raw, the others
                  as deltas. Four of five later versions add a row while there
                  are rows to add, the others change one
    indices       how many indices; 0 means that there is no indices/ folder
    contents      "text": multilingual keys and values, about 40 bytes a row;
                  "binary": bytes that are no UTF-8
    empty_folders further folders, relative to the base, that hold nothing
    seed          everything that is drawn is drawn from it

    Raises ValueError when a figure is impossible or a name is no folder name.
    """

    tables: int | tuple[str, ...] = 3
    rows: int = 60
    versions: int = 1
    indices: int = 0
    contents: Contents = "text"
    empty_folders: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        names = self.table_names
        if len(set(names)) != len(names) or not all(_is_folder_name(name) for name in names):
            raise ValueError(f"tables: names must be distinct folder names, not {self.tables!r}")
        if self.rows < 0 or (self.rows and not names):
            raise ValueError(f"rows: {self.rows} rows do not fit in {len(names)} tables")
        if self.versions < 1:
            raise ValueError(f"versions: a table has at least 1 version, not {self.versions}")
        if self.indices < 0 or (self.indices and not names):
            raise ValueError(f"indices: {self.indices} indices do not fit {len(names)} tables")
        if self.contents not in ("text", "binary"):
            raise ValueError(f"contents: 'text' or 'binary', not {self.contents!r}")
        if not all(_is_inside(folder) for folder in self.empty_folders):
            raise ValueError(f"empty_folders: paths below the base, not {self.empty_folders!r}")

    @property
    def table_names(self) -> tuple[str, ...]:
        """The tables' names, in the order in which they are created."""
        if isinstance(self.tables, tuple):
            return self.tables
        if self.tables < 0:
            raise ValueError(f"tables: there are at least 0 tables, not {self.tables}")
        numbered = (f"table_{number:03}" for number in range(len(TABLE_NAMES), self.tables))
        return (*TABLE_NAMES[: self.tables], *numbered)

    def rows_of(self, table: int) -> int:
        """Return how many rows the current version of the table with this number has."""
        share, rest = divmod(self.rows, len(self.table_names))
        return share + (table < rest)

    def key(self) -> str:
        """A stable digest of this description: names the cached template."""
        return _digest(self)


@dataclass(frozen=True, slots=True)
class AwkwardSpec:
    """A database of everything that backup code gets wrong (see `awkward`).

    The file system decides about a few of its names: what it refuses is left
    out, the same way each time on one file system.
    """

    seed: int = 0

    def key(self) -> str:
        """A stable digest of this description: names the cached template."""
        return _digest(self)


Spec: TypeAlias = DatabaseSpec | AwkwardSpec


def _digest(spec: Spec) -> str:
    named = [f"{field.name}={getattr(spec, field.name)!r}" for field in fields(spec)]
    text = f"{FORMAT_VERSION} {type(spec).__name__} {' '.join(named)}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _is_folder_name(name: str) -> bool:
    return name not in ("", ".", "..") and "/" not in name and "\0" not in name


def _is_inside(path: str) -> bool:
    return all(_is_folder_name(name) for name in path.split("/"))


SMALL: Final = DatabaseSpec(
    tables=3,
    rows=20,
    versions=3,
    indices=2,
    empty_folders=("indices/rebuild", "tables/text/attachments"),
)
EMPTY: Final = DatabaseSpec(tables=0, rows=0)
ONE_TABLE: Final = DatabaseSpec(tables=1, rows=10, versions=2, indices=1)
MANY_TABLES: Final = DatabaseSpec(tables=200, rows=1_000, versions=2, indices=20)
BULK_10K: Final = DatabaseSpec(tables=4, rows=10_000)
BULK_1M: Final = DatabaseSpec(tables=4, rows=1_000_000)
# 8,000 rows from 10,000 writes: contract `last`, "On disk", gives 319 KB of
# current.csv for 10,001 versions, so not every write adds a row of this length.
HISTORY_10K: Final = DatabaseSpec(tables=1, rows=8_000, versions=10_001, indices=1)
AWKWARD: Final = AwkwardSpec()

NAMED: Final[dict[str, Spec]] = {
    "small": SMALL,
    "empty": EMPTY,
    "one-table": ONE_TABLE,
    "many-tables": MANY_TABLES,
    "bulk-10k": BULK_10K,
    "bulk-1m": BULK_1M,
    "history-10k": HISTORY_10K,
    "awkward": AWKWARD,
}
