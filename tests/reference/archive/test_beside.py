"""What a thread does meanwhile comes back as if it were done here, and the thread ends."""

from __future__ import annotations

import gzip
import io
import random
import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from reference.archive.threads import have_processors, workers

from reedbase_backup.archive import gzip_reader
from reedbase_backup.archive.beside import Threads
from reedbase_backup.archive.gzip_reader import GzipDamaged, GzipReader

NOISE = random.Random(60).randbytes(gzip_reader._BESIDE_FROM + (2 << 20))
PIECE = 1 << 16


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    have_processors(monkeypatch, 2)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()


def test_a_job_returns_what_it_returns_and_raises_what_it_raises() -> None:
    with closing(Threads()) as threads:
        job, failing = threads.take(threading.get_ident), threads.take(lambda: 1 // 0)
        assert job is not None
        assert failing is not None
        assert job.result() != threading.get_ident()
        with pytest.raises(ZeroDivisionError):
            failing.result()


def test_closing_waits_for_all_that_was_to_be_done() -> None:
    done: list[int] = []
    with closing(Threads(most=1)) as threads:
        for number in range(20):
            threads.take(lambda number=number: done.append(number))  # type: ignore[misc]
    assert done == list(range(20))
    assert not workers()


def test_there_are_no_more_threads_than_are_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Threads(most=3)) as threads:
        for number in range(5):
            threads.take(int, number)
        assert len(threads) == len(workers()) == 2
    have_processors(monkeypatch, 1)
    with closing(Threads()) as threads:
        assert threads.take(int) is None


def read_all(reader: GzipReader) -> bytes:
    parts = []
    while part := reader.read(PIECE):
        parts.append(part)
    return b"".join(parts)


def test_a_large_file_is_inflated_beside_and_a_small_one_is_not() -> None:
    for content, expected in ((NOISE, 1), (NOISE[:PIECE], 0)):
        reader = GzipReader(io.BytesIO(gzip.compress(content, 1)))
        before = set(threading.enumerate())
        assert read_all(reader) == content
        assert len(set(threading.enumerate()) - before) == expected
        del reader


def test_damage_that_a_thread_comes_upon_is_raised_here() -> None:
    packed = bytearray(gzip.compress(NOISE, 1))
    packed[-len(NOISE) // 3 :] = bytes(len(NOISE) // 3 + 1)
    with pytest.raises(GzipDamaged):
        read_all(GzipReader(io.BytesIO(packed)))
