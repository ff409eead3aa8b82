"""Build a database from its description.

Nothing depends on the clock or the machine: timestamps, contents, modes and
mtimes follow from the description alone.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from . import awkward
from .history import Table, draw_stamps
from .layout import (
    EPOCH_NS,
    finish_folder,
    make_folder,
    write_index,
    write_metadata,
    write_registry,
)
from .spec import AwkwardSpec, DatabaseSpec, Spec


def build(spec: Spec, base: Path) -> None:
    """Write the database that `spec` describes to `base`, a folder that does not exist yet.

    Raises FileExistsError when it does.
    """
    base.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(spec, AwkwardSpec):
        awkward.build(spec.seed, base)
    else:
        _build_regular(spec, base)


def _build_regular(spec: DatabaseSpec, base: Path) -> None:
    make_folder(base)
    write_registry(base)
    names = spec.table_names
    # The tables' versions take turns, so that a moment falls into every history.
    stamps = draw_stamps(Random(f"{spec.seed}/stamps"), len(names) * spec.versions)
    make_folder(base / "tables")
    for number, name in enumerate(names):
        rng = Random(f"{spec.seed}/table {number}")
        own = stamps[number :: len(names)]
        Table(spec.contents, spec.rows_of(number), own, rng).build(base / "tables" / name)
    if spec.indices:
        _build_indices(spec, base / "indices")
    for folder in spec.empty_folders:
        make_folder(base / folder)
        finish_folder(base / folder)
    _settle(spec, base, stamps[len(names) - 1] if names else EPOCH_NS)


def _build_indices(spec: DatabaseSpec, folder: Path) -> None:
    make_folder(folder)
    rng = Random(f"{spec.seed}/indices")
    indexed = []
    for number in range(spec.indices):
        turn, table = divmod(number, len(spec.table_names))
        column = ("key", "language", "value")[turn] if turn < 3 else f"column_{turn}"
        indexed.append((spec.table_names[table], column))
        write_index(folder, *indexed[-1], rng)
    write_metadata(folder, indexed)


def _settle(spec: DatabaseSpec, base: Path, created_ns: int) -> None:
    """Give the mtimes back that putting folders into folders has moved."""
    for folder in spec.empty_folders:
        parent = base / folder
        while (parent := parent.parent) != base:
            finish_folder(parent)
    for name in ("tables", "indices"):
        if (base / name).exists():
            finish_folder(base / name, created_ns)
    finish_folder(base)
