"""The port against recordings of the real baseline: equal but for declared defects."""

from __future__ import annotations

import gzip
import os
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from last.baseline.golden import (
    GOLDEN,
    RECORDINGS,
    SHARED,
    declared,
    needs_recordings,
    recoverable,
    users_dict,
)
from last.baseline.recordings import Effects, ListCase, RestoreCase, effects_since, unpack
from msgspec import structs

from pytest_reedbackup.implementations.json_outcomes import err, ok
from pytest_reedbackup.views.snapshot import Snapshot
from pytest_reedbackup.views.users import SYSTEM, readable_users
from reedbase_backup.errors import ReedError
from reedbase_backup.last import DIVERGENCES, Table, list_backups, restore_point_in_time
from reedbase_backup.last.registry import user_code
from reedbase_backup.last.versions.delta import apply, compress, decompress

# 379 restores are short ones, and some 20 s together.
pytestmark = [needs_recordings, pytest.mark.slow]

RESTORES = [
    pytest.param(name, case, id=f"{name}/{case.id}")
    for name, recording in RECORDINGS.items()
    for case in recording.cases
]
LISTS = [
    pytest.param(case, id=f"{name}/{case.id}")
    for name, recording in RECORDINGS.items()
    for case in recording.list_cases
]


@pytest.fixture(scope="module")
def databases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The recorded databases, unpacked once; nobody writes to them."""
    return {
        name: unpack(recording, GOLDEN, tmp_path_factory.mktemp(name))
        for name, recording in RECORDINGS.items()
    }


def restore(base: Path, target: int) -> dict[str, Any]:
    try:
        return ok(restore_point_in_time(base, target), base)
    except ReedError as error:
        return err(error, base)


@pytest.fixture(scope="module", autouse=True)
def counts(request: pytest.FixtureRequest) -> Iterator[Counter[str]]:
    """How many recordings ended in which way, printed when all have run."""
    counted: Counter[str] = Counter()
    yield counted
    summary = ", ".join(f"{number} {how}" for how, number in sorted(counted.items()))
    capture = request.config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        print(f"\nrecordings of the baseline: {summary}")


@pytest.mark.parametrize(("name", "case"), RESTORES)
def test_a_restore_does_what_the_baseline_did(
    name: str,
    case: RestoreCase,
    databases: dict[str, Path],
    tmp_path: Path,
    counts: Counter[str],
) -> None:
    base = tmp_path / ".reed"
    case.prepare(databases[name], base)
    before = Snapshot.read(base)
    with case.locks_held(base):
        found = effects_since(before, restore(base, case.target_timestamp))
    expected = declared(case)
    assert {*expected.must.values(), *expected.may.values()} <= DIVERGENCES.keys()
    others = case.deviations(found)
    shown = f"declared: {expected}\nrecorded: {case}\nfound: {found}"
    assert expected.must.keys() <= others <= expected.must.keys() | expected.may.keys(), shown
    assert found.left_behind == []
    assert found.deltas_without_log_line == 0
    assert not any(line.joined_to_last_line for line in found.appended.values())
    assert untouched(before, found)
    assert_new_versions_are_real(before, found)
    assert_nobody_else_has_the_code(case, found)
    defect_of = {**expected.may, **expected.must}
    defects = {defect_of[part] for part in others}
    counts[f"but for {'+'.join(sorted(defects))}" if defects else "alike"] += 1


def assert_nobody_else_has_the_code(case: RestoreCase, found: Effects) -> None:
    names = readable_users(users_dict(case) or b"", with_first=True).names
    others = {code for code, name in names if name != SYSTEM}
    assert others.isdisjoint(line.user for line in found.appended.values())


def untouched(before: Snapshot, found: Effects) -> bool:
    """Whether nothing changed but the tables that got a new version, and there the right files."""
    for path in before.changed(Snapshot.read(before.root)):
        parts = path.split("/")
        if parts[0] == "registry":
            # A line for system, or the registry that was missing.
            assert path == "registry/users.dict" or path not in before.entries
            continue
        assert parts[0] == "tables", path
        assert parts[1] in found.appended, path
        assert len(parts) == 3, path
        current = Path(os.path.realpath(before.root / parts[0] / parts[1] / "current.csv"))
        known = parts[2] in (".lock", "current.csv", "version.log", current.name)
        assert known or parts[2].endswith((".bsdiff", ".tmp")), path
        gone = not os.path.lexists(before.root / path)
        assert gone == parts[2].endswith(".tmp"), path
    return True


def assert_new_versions_are_real(before: Snapshot, found: Effects) -> None:
    """Each new version has a later timestamp, the right size, and a delta that gives it."""
    for name in found.appended:
        table = Table(before.root, name)
        *others, line = table.log()
        assert all(line.timestamp > earlier.timestamp for earlier in others)
        delta = (table.folder / f"{line.timestamp}.bsdiff").read_bytes()
        assert line.size == len(delta)
        new = {
            path for path in before.changed(Snapshot.read(before.root)) if path.endswith(".bsdiff")
        }
        assert f"tables/{name}/{line.timestamp}.bsdiff" in new
        assert len(new) == len(found.appended)


def test_a_lost_current_csv_comes_back_from_the_deltas(
    databases: dict[str, Path], tmp_path: Path
) -> None:
    lost = [
        (name, case, table)
        for name, recording in RECORDINGS.items()
        for case in recording.cases
        for table in recoverable(case)
    ]
    assert lost
    for number, (name, case, table) in enumerate(lost):
        whole, base = tmp_path / f"{number}-whole", tmp_path / f"{number}-lost"
        case.prepare(databases[name], base)
        structs.replace(case, mutate=[]).prepare(databases[name], whole)
        expected, found = (
            restore(whole, case.target_timestamp),
            restore(base, case.target_timestamp),
        )
        assert found == expected
        assert Table(base, table).read() == Table(whole, table).read()


@pytest.mark.parametrize("name", RECORDINGS)
def test_versions_are_listed_as_the_baseline_lists_them(
    name: str, databases: dict[str, Path]
) -> None:
    for table, versions in RECORDINGS[name].versions_newest_first.items():
        listed = Table(databases[name], table).list_versions()
        assert [
            (info.timestamp, info.action, info.user, info.delta_size, info.message)
            for info in listed
        ] == versions


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recorded_version_can_be_rebuilt_and_the_last_is_the_current(
    name: str, databases: dict[str, Path]
) -> None:
    for table_name in RECORDINGS[name].versions_newest_first:
        table = Table(databases[name], table_name)
        previous = None
        for version in reversed(table.list_versions()):
            content = table.rebuild(version.timestamp)
            delta = (table.folder / f"{version.timestamp}.bsdiff").read_bytes()
            assert content == (delta if previous is None else apply(previous, delta))
            previous = content
        assert content == table.read()


@pytest.mark.parametrize("name", RECORDINGS)
def test_dictionaries_are_written_as_the_baseline_writes_them(
    name: str, databases: dict[str, Path], tmp_path: Path
) -> None:
    recorded, made = databases[name] / "registry", tmp_path / "registry"
    _, *users = (recorded / "users.dict").read_text().splitlines()
    for code, user, seconds in (line.split("|") for line in users):
        assert user_code(tmp_path, user, clock=partial(int, int(seconds) * 10**9)) == int(code)
    for dictionary in ("actions.dict", "users.dict"):
        assert (made / dictionary).read_bytes() == (recorded / dictionary).read_bytes()
    assert {path.name for path in made.iterdir()} == {path.name for path in recorded.iterdir()}


def test_deltas_are_packed_as_the_baseline_packs_them(databases: dict[str, Path]) -> None:
    """The same stream must give the same file: preset, checksum and all."""
    packed = [
        (log.parent / f"{line.split('|')[0]}.bsdiff").read_bytes()
        for base in databases.values()
        for log in base.glob("tables/*/version.log")
        for line in log.read_text().splitlines()[1:]
    ]
    assert packed
    streams = [decompress(delta) for delta in packed]
    assert [compress(stream.part(0, len(stream))) for stream in streams] == packed


@pytest.mark.parametrize("case", LISTS)
def test_a_list_leaves_out_what_is_no_archive_and_only_that(
    case: ListCase, tmp_path: Path, counts: Counter[str]
) -> None:
    base = tmp_path / ".reed"
    case.prepare(base)
    counts["lists but for D11" if case.outcome["ok"] else "lists alike"] += 1
    # The recorded files have arbitrary content: all the baseline listed is D11.
    declared = "D11" if case.outcome["ok"] else None
    found = ok(list_backups(base), base)
    assert (found != case.outcome) == (declared in DIVERGENCES)
    assert found == {"ok": []}


@pytest.mark.parametrize("case", LISTS)
def test_a_list_of_real_archives_agrees_in_names_and_order(case: ListCase, tmp_path: Path) -> None:
    base = tmp_path / ".reed"
    case.prepare(base)
    real = set()
    for path in base.glob("backups/*"):
        if path.is_file() and not path.is_symlink() and path.stat().st_size:
            path.write_bytes(gzip.compress(b"an archive"))
            real.add(f"{{base}}/backups/{path.name}")
    links = {
        f"{{base}}/backups/{path.name}"
        for path in base.glob("backups/*")
        if path.is_symlink() and path.exists()
    }
    expected = [info for info in case.outcome["ok"] if info["path"] in real | links]
    found = ok(list_backups(base), base)["ok"]
    assert [(info["timestamp"], info["path"]) for info in found] == [
        (info["timestamp"], info["path"]) for info in expected
    ]
    for info, recorded in zip(found, expected, strict=True):
        path = base / "backups" / info["path"].rpartition("/")[2]
        assert info["size_bytes"] == path.lstat().st_size
        assert info["size_mb"] == info["size_bytes"] / 1048576
        if info["path"] in links:
            assert info == recorded


@pytest.mark.skipif(not SHARED.is_dir(), reason=f"no {SHARED} (set REEDBACKUP_SHARED)")
def test_every_defect_of_the_baseline_has_the_ports_answer() -> None:
    rows = re.findall(r"^\| (D\d+) \|", (SHARED / "BASELINE.md").read_text(), re.MULTILINE)
    assert list(DIVERGENCES) == rows
    assert all(divergence.id == key for key, divergence in DIVERGENCES.items())
