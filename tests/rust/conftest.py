"""Built adapters, and a client that speaks the protocol without any of the project's own code."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import pytest

from reedbase_backup.adapter.rust.generator import generate

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "adapters" / "rust" / "examples"

PATIENCE = 60.0
"""Seconds until an adapter that does not answer is killed (PROTOCOL.md: a call, 60 s)."""


class Adapter:
    """One adapter process."""

    def __init__(self, command: Sequence[str | Path]) -> None:
        self.process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        self._id = 0

    def line(self, line: bytes) -> dict[str, Any]:
        """Sends a line and reads the reply line."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        return self.reply()

    def reply(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        timer = threading.Timer(PATIENCE, self.process.kill)
        timer.start()
        try:
            text = self.process.stdout.readline()
        finally:
            timer.cancel()
        if not text:
            raise EOFError("the adapter closed stdout")
        reply = json.loads(text)
        assert isinstance(reply, dict)
        return reply

    def call(self, method: str, params: object) -> dict[str, Any]:
        """Calls a method and checks the reply's frame."""
        self._id += 1
        request = {"jsonrpc": "2.0", "id": self._id, "method": method, "params": params}
        reply = self.line(json.dumps(request).encode())
        outcome = "error" if "error" in reply else "result"
        assert set(reply) == {"jsonrpc", "id", outcome}
        assert (reply["jsonrpc"], reply["id"]) == ("2.0", self._id)
        return reply

    def value(self, method: str, **params: object) -> Any:
        """The value of a call that must succeed."""
        reply = self.call(method, _wire(params))
        assert "result" in reply, reply
        assert set(reply["result"]) == {"value", "elapsed_ns"}
        assert type(reply["result"]["elapsed_ns"]) is int
        return reply["result"]["value"]

    def error(self, method: str, **params: object) -> dict[str, Any]:
        """The implementation's error of a call that must fail."""
        error = self.call(method, _wire(params))["error"]
        assert set(error) == {"code", "message", "data"}
        assert error["code"] == -32000
        assert set(error["data"]) == {"kind", "fields", "elapsed_ns"}
        assert isinstance(error, dict)
        return error

    def close(self) -> tuple[int, str]:
        """Closes stdin and gives exit status and stderr."""
        _, log = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, log.decode("utf-8", "replace")


def _wire(params: dict[str, object]) -> dict[str, object]:
    return {
        name: str(value) if isinstance(value, Path) else value for name, value in params.items()
    }


Start = Callable[..., Adapter]
"""Starts an adapter: the executable, behind a command if one is given."""


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
def tool() -> Callable[[str], str]:
    """The path of a program; the test is skipped, or failed where all tools must be there."""

    def find(name: str) -> str:
        path = shutil.which(name)
        if path is None:
            message = f"{name} is not installed"
            if os.environ.get("REEDBACKUP_REQUIRE_TOOLS") == "1":
                pytest.fail(f"{message}, and REEDBACKUP_REQUIRE_TOOLS=1")
            pytest.skip(message)
        return path

    return find


Build = Callable[..., Path]
"""Generates and builds an adapter: crate, contract, options of `generate`."""


@pytest.fixture(scope="session")
def build(request: pytest.FixtureRequest, tool: Callable[[str], str]) -> Build:
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


def tree(folder: Path) -> dict[str, tuple[int, bytes | None]]:
    """Every path below `folder` with its mode and, of files, its content."""
    return {
        str(path.relative_to(folder)): (
            path.lstat().st_mode,
            path.read_bytes() if path.is_file() else None,
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def snapshot() -> Callable[[Path], dict[str, tuple[int, bytes | None]]]:
    return tree
