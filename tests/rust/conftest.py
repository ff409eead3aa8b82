"""Built adapters, and a client that speaks the protocol without any of the project's own code."""

from __future__ import annotations

import fcntl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from fixture_types import FindTool
from reference.faults.mounted.mounting import mount
from rust.adapters import Adapter, Build, Start, TakeSnapshot, Tree

from reedbase_backup.adapter.rust.generator import generate

__all__ = ["mount"]

ROOT = Path(__file__).resolve().parents[2]

EXAMPLES = ROOT / "adapters" / "rust" / "examples"


@pytest.fixture
def start() -> Iterator[Start]:
    adapters: list[Adapter] = []

    def start(*command: str | Path) -> Adapter:
        adapters.append(Adapter(command))
        return adapters[-1]

    yield start
    for adapter in adapters:
        adapter.process.kill()
        adapter.process.communicate()


@pytest.fixture(scope="session")
def build(request: pytest.FixtureRequest, tool: FindTool) -> Build:
    """Builds into pytest's cache folder: what does not change is built once (`--cache-clear`)."""
    cargo = tool("cargo")
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir("rust-adapters")

    def build(crate: Path, contract: Literal["ticket", "last"], **options: str) -> Path:
        # Workers of pytest-xdist share the folder.
        with (folder / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            project = folder / crate.name
            executable = generate(crate, contract, project, **options)
            subprocess.run(
                [cargo, "build", "--release", "--quiet", "--target-dir", folder / "target"],
                cwd=project,
                check=True,
            )
        return folder / "target" / "release" / executable.name

    return build


@pytest.fixture(scope="session")
def ticket_adapter(build: Build) -> Path:
    return build(EXAMPLES / "reedbackup-ticket", "ticket")


@pytest.fixture(scope="session")
def last_adapter(build: Build) -> Path:
    return build(EXAMPLES / "reedbackup-last-shape", "last")


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A small database under a path that is not ASCII."""
    base = tmp_path / "Größe 表 🦀" / ".reed"
    write(base / "tables/text/current.csv", "key|value\npage|Größe\n")
    write(base / "tables/text/100.bsdiff", "key|value\n")
    write(base / "tables/text/version.log", "100|5|1|10\n")
    write(base / "tables/text/.lock", "")
    write(base / "indices/metadata.json", "[]")
    write(base / "registry/users.dict", "code|username|created_at\n0|system|0\n")
    return base


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def tree(folder: Path) -> Tree:
    """Every path below `folder` with its mode and, of files, its content."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else None,
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def snapshot() -> TakeSnapshot:
    return tree
