"""Building databases: reproducible, and as contract `last`, "On disk", says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import os
import sys
import tarfile
from itertools import pairwise
from pathlib import Path

import pytest

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import (
    BULK_10K,
    EMPTY,
    FORMAT_VERSION,
    HISTORY_10K,
    MANY_TABLES,
    ONE_TABLE,
    SMALL,
    AwkwardSpec,
    DatabaseSpec,
    Spec,
)
from pytest_reedbackup.views.tree import Tree

HISTORY = DatabaseSpec(tables=1, rows=160, versions=201, indices=1)
BINARY = DatabaseSpec(tables=2, rows=50, versions=20, contents="binary")


def built(spec: Spec, base: Path) -> Path:
    build(spec, base)
    return base


def log_of(table: Path) -> list[tuple[int, ...]]:
    """version.log as numbers; int() refuses anything else."""
    text = (table / "version.log").read_text("ascii")
    assert text.endswith("\n")
    return [tuple(int(field) for field in line.split("|")) for line in text.splitlines()]


def signed(raw: bytes) -> int:
    value = int.from_bytes(raw, "little")
    return -(value & ~(1 << 63)) if value >> 63 else value


def patched(old: bytes, stored: bytes) -> bytes:
    """An independent reading of the format: xz over controls, bytes to mix, extra bytes."""
    stream = io.BytesIO(lzma.decompress(stored, format=lzma.FORMAT_XZ))
    new, at = bytearray(), 0
    while control := stream.read(24):
        mix, extra, seek = (signed(control[i : i + 8]) for i in (0, 8, 16))
        assert 0 <= at <= at + mix <= len(old)
        mixed = stream.read(mix)
        new += bytes((a + b) % 256 for a, b in zip(old[at : at + mix], mixed, strict=True))
        added = stream.read(extra)
        assert len(added) == extra
        new += added
        at += mix + seek
    return bytes(new)


def versions_of(table: Path) -> list[bytes]:
    """Every version's content, rebuilt from the deltas alone."""
    contents: list[bytes] = []
    for at_ns, *_ in log_of(table):
        stored = (table / f"{at_ns}.bsdiff").read_bytes()
        contents.append(patched(contents[-1], stored) if contents else stored)
    return contents


@pytest.mark.parametrize(
    "spec", [SMALL, EMPTY, ONE_TABLE, HISTORY, BINARY, AwkwardSpec()], ids=repr
)
def test_the_same_description_builds_the_same_tree_with_its_mtimes(
    spec: Spec, tmp_path: Path
) -> None:
    first = Tree.read(built(spec, tmp_path / "first"))
    again = Tree.read(built(spec, tmp_path / "again"))
    assert first.differences(again, mtime=True) == []


def test_the_umask_does_not_change_the_tree(tmp_path: Path) -> None:
    expected = Tree.read(built(SMALL, tmp_path / "usual"))
    before = os.umask(0o077)
    try:
        build(SMALL, tmp_path / "strict")
    finally:
        os.umask(before)
    assert expected.differences(Tree.read(tmp_path / "strict"), mtime=True) == []


@pytest.mark.parametrize("kind", [DatabaseSpec, AwkwardSpec])
def test_another_seed_builds_another_tree(
    kind: type[AwkwardSpec] | type[DatabaseSpec], tmp_path: Path
) -> None:
    first = Tree.read(built(kind(seed=1), tmp_path / "first"))
    assert first.differences(Tree.read(built(kind(seed=2), tmp_path / "second")))


def test_a_folder_that_exists_is_not_built_into(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        build(SMALL, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("spec", [SMALL, MANY_TABLES, HISTORY, BINARY], ids=repr)
def test_every_log_is_what_the_baseline_writes(spec: DatabaseSpec, tmp_path: Path) -> None:
    stamps = []
    for name in spec.table_names:
        table = built_once(spec, tmp_path) / "tables" / name
        log = log_of(table)
        assert len(log) == spec.versions
        assert [action for _, action, _, _ in log] == [5] + [2] * (spec.versions - 1)
        assert all(user in (1, 2, 3) for _, _, user, _ in log)
        for at_ns, _, _, size in log:
            assert (table / f"{at_ns}.bsdiff").stat().st_size == size
        own = [at_ns for at_ns, *_ in log]
        assert own == sorted(set(own))
        stamps += own
        assert len(list(table.glob("*.bsdiff"))) == spec.versions
        assert (table / ".lock").stat().st_size == 0
    assert len(set(stamps)) == len(stamps)


def built_once(spec: Spec, folder: Path) -> Path:
    base = folder / ".reed"
    return base if base.exists() else built(spec, base)


@pytest.mark.parametrize("spec", [SMALL, ONE_TABLE, HISTORY, BINARY], ids=repr)
def test_the_deltas_rebuild_every_version_up_to_the_current_one(
    spec: DatabaseSpec, tmp_path: Path
) -> None:
    base = built(spec, tmp_path / ".reed")
    for number, name in enumerate(spec.table_names):
        versions = versions_of(base / "tables" / name)
        assert versions[-1] == (base / "tables" / name / "current.csv").read_bytes()
        assert versions[-1].count(b"\n") == 1 + spec.rows_of(number)
        assert all(old != new for old, new in pairwise(versions))
        assert {version.partition(b"\n")[0] for version in versions} <= {
            b"key|language|value",
            b"key|value",
        }


def test_a_history_both_adds_and_changes_rows(tmp_path: Path) -> None:
    versions = versions_of(built(HISTORY, tmp_path / ".reed") / "tables" / "text")
    grown = [new.count(b"\n") - old.count(b"\n") for old, new in pairwise(versions)]
    keys = [line.rsplit(b"|", 1)[0] for line in versions[-1].splitlines()]
    assert len(set(keys)) == len(keys)
    assert grown.count(1) == 160
    assert grown.count(0) == 40


def test_writes_without_rows_are_versions_too(tmp_path: Path) -> None:
    spec = DatabaseSpec(tables=1, rows=0, versions=3)
    versions = versions_of(built(spec, tmp_path / ".reed") / "tables" / "text")
    assert versions == [b"key|language|value\n"] * 3


def test_a_history_has_the_files_that_the_baselines_generator_leaves(tmp_path: Path) -> None:
    """10,009 for 10,001 versions (contract `last`, "On disk"): eight more than versions."""
    base = built(HISTORY, tmp_path / ".reed")
    files = [path for path in base.rglob("*") if path.is_file()]
    assert len(files) == HISTORY.versions + 8
    assert HISTORY_10K.versions + 8 == 10_009


def test_the_bulk_shape_is_ten_thousand_rows_in_four_tables(tmp_path: Path) -> None:
    base = built(BULK_10K, tmp_path / ".reed")
    tables = sorted((base / "tables").iterdir())
    assert len(tables) == 4
    assert sum((t / "current.csv").read_bytes().count(b"\n") - 1 for t in tables) == 10_000
    lines = (tables[0] / "current.csv").read_bytes().splitlines()
    keys = [line.rsplit(b"|", 1)[0] for line in lines]
    assert len(set(keys)) == 2_501
    assert 700_000 < sum(p.stat().st_size for p in base.rglob("*") if p.is_file()) < 900_000


def test_gzip_saves_what_the_ticket_says_on_the_bulk_shape(tmp_path: Path) -> None:
    """Ticket 060-OPS-01, "Compression": about 70 %, at most 35 % left (create/compression)."""
    base = built(BULK_10K, tmp_path / ".reed")
    sizes = sum(p.stat().st_size for p in (base / "tables").rglob("*") if p.is_file())
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        archive.add(base / "tables", "tables")
    for level in (1, 6, 9):
        assert 0.20 < len(gzip.compress(plain.getvalue(), level)) / sizes < 0.35, level


def test_text_is_multilingual_and_utf_8(tmp_path: Path) -> None:
    base = built(DatabaseSpec(tables=1, rows=500), tmp_path / ".reed")
    text = (base / "tables" / "text" / "current.csv").read_text("utf-8")
    assert {line.split("|")[1] for line in text.splitlines()[1:]} >= {"de", "fr", "ja", "ar"}
    assert "🙂" in text


def test_binary_contents_are_no_text(tmp_path: Path) -> None:
    content = (built(BINARY, tmp_path / ".reed") / "tables/text/current.csv").read_bytes()
    assert b"\0" in content
    with pytest.raises(UnicodeDecodeError):
        content.decode("utf-8")


def test_indices_are_pairs_of_files_that_the_metadata_lists(tmp_path: Path) -> None:
    base = built(DatabaseSpec(tables=2, rows=4, indices=7), tmp_path / ".reed")
    listed = json.loads((base / "indices" / "metadata.json").read_text("utf-8"))
    names = {f"{entry['table']}.{entry['column']}" for entry in listed}
    assert len(listed) == len(names) == 7
    assert {path.name for path in (base / "indices").iterdir()} == {
        "metadata.json",
        *(f"{name}.btree" for name in names),
        *(f"{name}.wal" for name in names),
    }
    assert list(listed[0]) == [
        "table",
        "column",
        "backend",
        "created_at",
        "query_pattern",
        "auto_created",
        "usage_count",
        "last_used",
    ]


def test_without_indices_there_is_no_folder_for_them(tmp_path: Path) -> None:
    base = built(DatabaseSpec(indices=0), tmp_path / ".reed")
    assert sorted(path.name for path in base.iterdir()) == ["registry", "tables"]


def test_empty_folders_are_made_where_they_are_asked_for(tmp_path: Path) -> None:
    base = built(SMALL, tmp_path / ".reed")
    for folder in SMALL.empty_folders:
        assert list((base / folder).iterdir()) == []
    deep = DatabaseSpec(empty_folders=("other/nested/empty", "other/nested/too"))
    assert list((built(deep, tmp_path / "deep") / "other/nested/empty").iterdir()) == []


def test_the_registry_has_the_baselines_headers_and_codes(tmp_path: Path) -> None:
    registry = built(EMPTY, tmp_path / ".reed") / "registry"
    users = (registry / "users.dict").read_text("utf-8").splitlines()
    assert users[0] == "code|username|created_at"
    assert [line.split("|")[:2] for line in users[1:3]] == [["0", "system"], ["1", "admin"]]
    actions = (registry / "actions.dict").read_text("utf-8").splitlines()
    assert actions[0] == "code|name|description"
    assert " ".join(line.split("|")[1] for line in actions[1:]) == (
        "delete create update rollback compact init snapshot automerge conflict resolve"
    )


def test_an_empty_database_is_tables_without_a_table(tmp_path: Path) -> None:
    base = built(EMPTY, tmp_path / ".reed")
    assert list((base / "tables").iterdir()) == []


def test_mtimes_are_past_and_finer_than_a_second(tmp_path: Path) -> None:
    tree = Tree.read(built(SMALL, tmp_path / ".reed"))
    stamps = [entry.mtime_ns for entry in tree.entries.values()]
    assert all(1_700_000_000 * 10**9 <= stamp < 1_760_000_000 * 10**9 for stamp in stamps)
    assert any(stamp % 1_000 for stamp in stamps)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems refuse some awkward names")
def test_a_changed_tree_comes_with_a_new_format_version(tmp_path: Path) -> None:
    """Cached templates are found by FORMAT_VERSION: raise it, and set both figures here anew.

    Deltas are compared decompressed: liblzma's output may change with its version.
    """
    digest = hashlib.sha256()
    for spec, name in ((SMALL, "small"), (AwkwardSpec(), "awkward")):
        base = built(spec, tmp_path / name)
        for path, entry in sorted(Tree.read(base).entries.items()):
            content = (base / path).read_bytes() if path.endswith(".bsdiff") else b""
            if content.startswith(b"\xfd7zXZ\0"):
                content = lzma.decompress(content)
                entry = entry._replace(size=0, content=hashlib.sha256(content).hexdigest())
            elif path.endswith("version.log"):
                entry = entry._replace(size=0, content="sizes of deltas")
            digest.update(ascii((path, entry)).encode())
    assert (FORMAT_VERSION, digest.hexdigest()[:16]) == (3, "e5c1445c76577f6f")
