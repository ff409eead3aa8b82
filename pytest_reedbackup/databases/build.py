"""Build a database from its description.

Nothing depends on the clock or the machine: timestamps, contents, modes and
mtimes follow from the description alone.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

from pytest_reedbackup.databases import awkward
from pytest_reedbackup.databases.history import Table, draw_stamps
from pytest_reedbackup.databases.layout import (
    EPOCH_NS,
    finish_folder,
    make_folder,
    write_index,
    write_metadata,
    write_registry,
)
from pytest_reedbackup.databases.spec import AwkwardSpec, DatabaseSpec, Spec


def build(spec: Spec, base: Path) -> None:
    """Write the database that `spec` describes to `base`, a folder that does not exist yet.

    Raise FileExistsError when it does.
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
    finish_folder(base / "tables", stamps[len(names) - 1] if names else EPOCH_NS)
    if spec.indices:
        _build_indices(spec, base / "indices")
    finish_folder(base)
    for path in spec.empty_folders:
        _build_empty_folder(base, path)


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
    finish_folder(folder)


def _build_empty_folder(base: Path, path: str) -> None:
    """Build the folder with its parents, as though each had been there from the start."""
    folder = base
    for name in path.split("/"):
        parent, folder = folder, folder / name
        if not folder.exists():
            changed_ns = parent.stat().st_mtime_ns
            make_folder(folder)
            finish_folder(folder)
            finish_folder(parent, changed_ns)
