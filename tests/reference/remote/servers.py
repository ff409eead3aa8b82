"""S3 and SFTP servers on loopback, in threads of the tests' process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

USER, PASSWORD = "porter", "72.610"
"""The password looks like a number, which it is not to be made."""


@contextmanager
def s3() -> Iterator[str]:
    """Yield the endpoint of an S3 server."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
    finally:
        server.stop()


@contextmanager
def sftp(home: Path) -> Iterator[int]:
    """Yield the port of an SFTP server that takes a password; `home` gets what a user has."""
    import asyncssh

    connections: list[Any] = []

    class Server(asyncssh.SSHServer):  # type: ignore[misc]
        def connection_made(self, conn: Any) -> None:
            connections.append(conn)

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            return (username, password) == (USER, PASSWORD)

    key = asyncssh.generate_private_key("ssh-ed25519")
    loop, ready, ports = asyncio.new_event_loop(), threading.Event(), []
    ended = asyncio.Event()

    async def serve() -> None:
        server: Any = await asyncssh.create_server(
            Server, "127.0.0.1", 0, server_host_keys=[key], sftp_factory=True
        )
        ports.append(server.sockets[0].getsockname()[1])
        ready.set()
        await ended.wait()
        server.close()
        # Those that clients have left open.
        for connection in connections:
            connection.abort()
            await connection.wait_closed()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),), daemon=True)
    thread.start()
    assert ready.wait(20)
    known = home / ".ssh" / "known_hosts"
    known.parent.mkdir(mode=0o700)
    known.write_text(f"[127.0.0.1]:{ports[0]} {key.export_public_key().decode()}")
    try:
        yield ports[0]
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(20)
        loop.close()


def new_bucket() -> str:
    """Make a bucket on the server of AWS_ENDPOINT_URL, and return its name."""
    import s3fs

    name = f"bucket-{uuid4().hex}"
    s3fs.S3FileSystem(skip_instance_cache=True).mkdir(name)
    return name
