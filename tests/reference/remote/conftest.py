"""Far ends of every kind: a folder, memory, and S3 and SFTP servers on loopback.

The servers need the extras `remote` and `remote-tests`. Where those are not installed, tests that
need them skip, unless REEDBACKUP_REQUIRE_REMOTE=1.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from reference.remote import servers
from reference.remote.fixture_types import Far, MakeFar

KINDS = ("file", "memory", "sftp", "s3")
_NEEDED = {
    "file": (),
    "memory": ("fsspec",),
    "sftp": ("sshfs", "asyncssh"),
    "s3": ("s3fs", "moto", "flask_cors"),
}


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """Where an S3 server listens."""
    with servers.s3() as url:
        yield url


@pytest.fixture(scope="session")
def sftp(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """The port of an SFTP server, and the home of a user who knows it."""
    home = tmp_path_factory.mktemp("home")
    with servers.sftp(home) as port:
        yield port, home


@pytest.fixture
def make_far(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> MakeFar:
    """Makes a far end of a kind, which the environment gives access to."""

    def make(kind: str) -> Far:
        for name in _NEEDED[kind]:
            if importlib.util.find_spec(name) is None:
                reason = f"{name} is not installed: pip install '.[remote,remote-tests]'"
                if os.environ.get("REEDBACKUP_REQUIRE_REMOTE") == "1":
                    pytest.fail(reason)
                pytest.skip(reason)
        if kind == "sftp":
            port, home = request.getfixturevalue("sftp")
            monkeypatch.setenv("HOME", str(home))
            monkeypatch.setenv("FSSPEC_SFTP_PASSWORD", servers.PASSWORD)
            return Far(kind, f"sftp://{servers.USER}@127.0.0.1:{port}{tmp_path}/far")
        if kind == "s3":
            url = request.getfixturevalue("endpoint")
            monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
            monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
            monkeypatch.setenv("AWS_ENDPOINT_URL", url)
            return Far(kind, f"s3://{servers.new_bucket()}/far")
        return Far(kind, f"memory://{uuid4().hex}" if kind == "memory" else str(tmp_path / "far"))

    return make


@pytest.fixture(params=KINDS)
def far(request: pytest.FixtureRequest, make_far: MakeFar) -> Far:
    """A far end of each kind in turn."""
    return make_far(request.param)


@pytest.fixture(params=["file", "memory"])
def light_far(request: pytest.FixtureRequest, make_far: MakeFar) -> Far:
    """A folder, and memory in place of S3: what depends on no server."""
    return make_far(request.param)
