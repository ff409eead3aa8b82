"""Whoever is timed does the job: tools and floors bring back what they are to bring back."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pytest
from fixture_types import FindTool

from pytest_reedbackup.bench.changes import (
    add_one_percent,
    change_one_percent,
    change_one_table,
    make_anew,
    others_archives,
    set_aside,
)
from pytest_reedbackup.bench.contestants import floors, processes
from pytest_reedbackup.bench.contestants.decompression import Decompression
from pytest_reedbackup.bench.contestants.floors import Floor
from pytest_reedbackup.bench.contestants.implementation import Implementation, can, contract_of
from pytest_reedbackup.bench.contestants.processes import BarePython, Footprint, OneWait
from pytest_reedbackup.bench.contestants.tools import TOOLS, Peer
from pytest_reedbackup.bench.rows import Change, Job, unchanged
from pytest_reedbackup.bench.table import ROWS
from pytest_reedbackup.databases import edits
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.model.failures import BrokenPromise
from reedbase_backup import create_backup, list_backups
from reedbase_backup.adapter.protocol import Contract
from reedbase_backup.types import BackupInfo

SPEC = DatabaseSpec(tables=2, rows=40, versions=120, indices=2)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return Templates(tmp_path / "templates").clone(SPEC, tmp_path / "own" / ".reed")


def contents(base: Path) -> dict[str, bytes]:
    roots = (base / "tables", base / "indices")
    return {
        str(path.relative_to(base)): path.read_bytes()
        for root in roots
        for path in root.rglob("*")
        if path.is_file()
    }


RESTORERS = [tool.name for tool in TOOLS if {Job.CREATE, Job.RESTORE} <= tool.commands.keys()]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "change"),
    [
        # Every tool where nothing is there any more, and one of them after each change.
        *[(name, set_aside) for name in RESTORERS],
        *[
            ("tar", change)
            for change in (unchanged, change_one_percent, change_one_table, make_anew)
        ],
    ],
)
def test_a_tool_restores_what_it_backed_up(
    base: Path, tool: FindTool, name: str, change: Change
) -> None:
    tool(name)
    peer = Peer(next(each for each in TOOLS if each.name == name), base)
    before = contents(base)
    assert peer.run(Job.CREATE) > 0
    change(base, 1)
    assert peer.run(Job.RESTORE) > 0
    assert contents(base) == before


@pytest.mark.parametrize("name", [tool.name for tool in TOOLS])
def test_a_tool_says_its_version(tool: FindTool, name: str) -> None:
    tool(name)
    peer = next(each for each in TOOLS if each.name == name)
    assert peer.is_there
    assert any(character.isdigit() for character in peer.version)


def test_gzip_reads_an_archive_whole(base: Path, tool: FindTool) -> None:
    tool("gzip")
    peer = Peer(next(each for each in TOOLS if each.name == "gzip"), base)
    peer.run(Job.CREATE)
    (archive,) = (base.parent / "store").iterdir()
    assert peer.run(Job.VERIFY) > 0
    archive.write_bytes(archive.read_bytes()[:-1])
    with pytest.raises(Exception, match="gzip"):
        peer.run(Job.VERIFY)


@pytest.mark.parametrize(
    "change", [unchanged, change_one_percent, change_one_table, set_aside, make_anew]
)
def test_a_floor_leaves_a_tree_of_the_same_files(base: Path, change: Change) -> None:
    floor = Floor(base)
    floor.run(Job.CREATE)
    sizes = {path: len(content) for path, content in contents(base).items()}
    for turn in (1, 2):
        change(base, turn)
        floor.run(Job.RESTORE)
        assert {path: len(content) for path, content in contents(base).items()} == sizes
        assert {path.stat().st_nlink for path in base.rglob("*.bsdiff")} == {1}


def copied(base: Path, turn: int) -> None:
    """Have every file be another one that is just like it, as in a copy of the database."""
    for path in [path for path in base.rglob("*") if path.is_file()]:
        copy = shutil.copy2(path, path.with_name(f"copy {turn}"))
        Path(copy).replace(path)


@pytest.mark.parametrize(
    ("change", "steps"),
    [
        (unchanged, {"archive", "read"}),
        (copied, {"archive", "read"}),
        (change_one_percent, {"archive", "read", "link", "write", "sync", "unlink"}),
    ],
)
def test_a_floor_says_what_its_steps_took(base: Path, change: Change, steps: set[str]) -> None:
    floor = Floor(base)
    floor.run(Job.CREATE)
    change(base, 1)
    took = floor.run(Job.RESTORE)
    assert floor.steps.keys() == steps
    assert 0 < sum(floor.steps.values()) <= took


def test_a_floor_reads_only_what_is_new_and_writes_as_much_as_the_reference(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[BackupInfo] = []

    def created(base: Path) -> BackupInfo:
        made.append(create_backup(base))
        return made[-1]

    # That very one: of 40 backups of this database, 9 had a byte less than the others.
    monkeypatch.setattr(floors, "create_backup", created)
    floor = Floor(base)
    (own,) = made
    read: list[str] = []
    original = floors._read

    def watched(path: Path, names: Iterable[str]) -> Mapping[str, floors._Facts]:
        read.extend(names)
        return original(path, names)

    monkeypatch.setattr(floors, "_read", watched)
    floor.run(Job.CREATE)
    assert len(read) == len(contents(base))
    add_one_percent(base, 1)
    read.clear()
    floor.run(Job.CREATE)
    assert len(read) == 2
    sizes = {path.stat().st_size for path in (base / "backups").iterdir()}
    assert sizes == {own.size_bytes}


def test_a_floor_of_a_list_looks_into_each_archive(base: Path) -> None:
    floor = Floor(base)
    for _ in range(3):
        floor.run(Job.CREATE)
    assert floor.run(Job.LIST) > 0
    assert floor.steps.keys() == {"look", "read"}


def test_archives_of_tar_are_listed_as_32_backups(base: Path, tool: FindTool) -> None:
    tool("tar")
    others_archives(base)
    assert len(list_backups(base)) == 32
    implementation = Implementation("python", base)
    assert implementation.run(Job.LIST) > 0


def test_every_delta_is_decompressed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edits.create_table(tmp_path, "text", b"raw", 1)
    table = tmp_path / "tables" / "text"
    for version in range(2, 7):
        edits.write_version(table, b"key|value\n" * version, version)
    seen: list[int] = []
    original = lzma.decompress

    def watched(data: bytes) -> bytes:
        seen.append(len(data))
        return original(data)

    monkeypatch.setattr(lzma, "decompress", watched)
    assert Decompression(tmp_path).run(Job.NEWEST_VERSION) > 0
    assert len(seen) == 5


@pytest.mark.parametrize("job", [Job.CREATE_MEMORY, Job.RESTORE_MEMORY])
def test_memory_is_that_of_the_process_which_made_the_call(base: Path, job: Job) -> None:
    """This one has had more."""
    if not Path("/proc/self/status").exists():
        pytest.skip("only Linux says it")
    footprint = Footprint("python", base)
    footprint.run(Job.CREATE)
    bare = BarePython(base).run(job)
    bytearray(100 << 20)
    assert 5 < bare < footprint.run(job) < 60


def test_a_suites_floor_is_a_case_of_it_alone_with_a_cache_of_its_own(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    commands: list[list[str]] = []

    def collected(command: Sequence[str], **_: object) -> float:
        commands.append([*command, "--collect-only"])
        return 1.0

    monkeypatch.setattr(processes, "_timed", collected)
    assert OneWait("python", tmp_path / "base", tmp_path / "one").run(Job.SUITE) == 1.0
    (command,) = commands
    ended = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "test_a_lock_that_stays_taken" in ended.stdout
    assert f"--override-ini=cache_dir={tmp_path / 'one'}" in command


@pytest.mark.parametrize(
    ("option", "contract", "rows"),
    [
        ("python", "ticket", {row.id for row in ROWS}),
        (
            "./adapter",
            "ticket",
            {row.id for row in ROWS if not row.id.startswith(("verify", "start", "port"))},
        ),
        (
            "./adapter",
            "last",
            {
                *("create/history/first", "create/1m/first", "create/10k/first", "port/newest"),
                *(row.id for row in ROWS if row.is_suite),
            },
        ),
    ],
)
def test_an_implementation_has_the_rows_that_its_contract_speaks_of(
    option: str, contract: Contract, rows: set[str]
) -> None:
    assert {row.id for row in ROWS if can(option, contract, row)} == rows


def test_the_contract_is_what_the_implementation_claims(tmp_path: Path) -> None:
    assert contract_of("python", tmp_path) == "ticket"
    assert contract_of("python-last", tmp_path) == "last"


def test_an_implementation_whose_call_fails_is_not_timed(base: Path) -> None:
    with pytest.raises(BrokenPromise, match="restore_point_in_time of python"):
        Implementation("python", base).run(Job.RESTORE)
