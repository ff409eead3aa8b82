"""Compressing beside the thread that reads: in order, within bounds, and never left behind."""

from __future__ import annotations

import io
import random
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from isal import isal_zlib

from reedbase_backup import BackupUnsafe, create_backup
from reedbase_backup.archive import gzip_header
from reedbase_backup.archive.deflating import Deflating
from reedbase_backup.archive.gzip_writer import GzipWriter

PIECES = [random.Random(number).randbytes(200_000) for number in range(12)]


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


def deflater() -> isal_zlib.Compress:
    return isal_zlib.compressobj(3, isal_zlib.DEFLATED, gzip_header.RAW_DEFLATE)


def deflated() -> bytes:
    """Return PIECES as they are compressed beside this thread."""
    deflate = deflater()
    with closing(Deflating()) as deflating:
        parts = [part for piece in PIECES for part in deflating.add(deflate, piece)]
        parts += deflating.rest()
    return b"".join([*parts, deflate.flush()])


def inflated(data: bytes) -> bytes:
    return zlib.decompress(data, gzip_header.RAW_DEFLATE)


def test_pieces_come_back_in_their_order() -> None:
    assert inflated(deflated()) == b"".join(PIECES)


def test_where_no_thread_can_be_started_this_one_compresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[threading.Thread] = []

    def refuse(thread: threading.Thread) -> None:
        started.append(thread)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert inflated(deflated()) == b"".join(PIECES)
    assert started


class Stuck:
    """A compressor that waits until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.threads: list[threading.Thread] = []

    def compress(self, data: bytes) -> bytes:
        self.threads.append(threading.current_thread())
        assert self.let_go.wait(10)
        return data


def test_this_thread_goes_on_while_another_compresses_but_no_further_than_two_pieces() -> None:
    stuck: Any = Stuck()
    with closing(Deflating()) as deflating:
        assert deflating.add(stuck, b"first") == []
        assert deflating.add(stuck, b"second") == []
        threading.Timer(0.1, stuck.let_go.set).start()
        assert deflating.add(stuck, b"third") == [b"first"]
        assert stuck.let_go.is_set()
        assert deflating.rest() == [b"second", b"third"]
    assert threading.current_thread() not in stuck.threads


class Failing:
    """A compressor that has no memory."""

    def compress(self, data: bytes) -> bytes:
        raise MemoryError(len(data))


def test_what_fails_in_the_other_thread_fails_here() -> None:
    failing: Any = Failing()
    with closing(Deflating()) as deflating:
        assert deflating.add(failing, b"piece") == []
        with pytest.raises(MemoryError):
            deflating.rest()


def test_a_writer_that_is_closed_early_leaves_no_thread() -> None:
    with closing(GzipWriter(io.BytesIO())) as writer:
        for piece in PIECES:
            writer.write(piece)
        assert "reedbackup-deflate" in {thread.name for thread in threading.enumerate()}


def test_a_backup_of_much_or_one_that_is_refused_leaves_no_thread(base: Path) -> None:
    (base / "tables" / "text" / "large").write_bytes(b"".join(PIECES))
    create_backup(base)
    (base / "tables" / "text" / "zz").symlink_to("large")
    with pytest.raises(BackupUnsafe):
        create_backup(base)
