"""Compressing beside the thread that reads: in order, within bounds, and never left behind."""

from __future__ import annotations

import io
import random
import threading
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference.archive.threads import have_processors, workers

from reedbase_backup import BackupUnsafe, create_backup
from reedbase_backup.archive import deflating as deflating_module
from reedbase_backup.archive.deflating import Deflating, Segment, Span
from reedbase_backup.archive.gzip_header import RAW_DEFLATE
from reedbase_backup.archive.gzip_writer import GzipWriter

PIECES = [random.Random(number).randbytes(200_000) for number in range(12)]


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) == before


@pytest.fixture(autouse=True)
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    have_processors(monkeypatch, 2)


def segments(pieces: list[bytes]) -> list[Segment]:
    """Return `pieces` as they are compressed beside this thread."""
    with closing(Deflating()) as deflating:
        return [s for piece in pieces for s in deflating.add(piece)] + deflating.rest()


def inflated(segments: list[Segment]) -> list[bytes]:
    """Return what each segment holds, read by itself, once its sums are found right."""
    for segment in segments:
        assert segment.packed_span == (len(segment.packed), zlib.crc32(segment.packed))
    contents = [zlib.decompressobj(RAW_DEFLATE).decompress(s.packed) for s in segments]
    assert [s.span for s in segments] == [(len(c), zlib.crc32(c)) for c in contents]
    return contents


def test_pieces_come_back_in_their_order_large_and_small() -> None:
    mixed = [piece[: 300 if number % 3 else None] for number, piece in enumerate(PIECES)]
    for pieces in (PIECES, mixed, mixed[::-1]):
        assert inflated(segments(pieces)) == pieces


@given(st.lists(st.binary(max_size=300)))
def test_spans_join_to_that_of_all_the_bytes(parts: list[bytes]) -> None:
    joined = Span()
    for part in parts:
        joined = joined.joined(Span(len(part), zlib.crc32(part)))
    whole = b"".join(parts)
    assert joined == Span(len(whole), zlib.crc32(whole))


def test_small_pieces_start_no_thread() -> None:
    with closing(Deflating()) as deflating:
        for piece in PIECES:
            deflating.add(piece[: 1 << 16])
        assert not workers()


def test_with_one_processor_there_is_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    have_processors(monkeypatch, 1)
    with closing(Deflating()) as deflating:
        assert inflated([s for piece in PIECES for s in deflating.add(piece)]) == PIECES
        assert not workers()


def test_where_no_thread_can_be_started_this_one_compresses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    started: list[threading.Thread] = []

    def refuse(thread: threading.Thread) -> None:
        started.append(thread)
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert inflated(segments(PIECES)) == PIECES
    assert started


class Stuck:
    """Compresses nothing before it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()
        self.threads: list[threading.Thread] = []

    def __call__(self, piece: bytes) -> Segment:
        self.threads.append(threading.current_thread())
        assert self.let_go.wait(10)
        return Segment(piece, Span(), Span())


def test_this_thread_goes_on_while_others_compress_but_only_one_piece_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stuck = Stuck()
    monkeypatch.setattr(deflating_module, "deflated", stuck)
    with closing(Deflating()) as deflating:
        for piece in PIECES[:3]:
            assert deflating.add(piece) == []
        threading.Timer(0.1, stuck.let_go.set).start()
        assert [s.packed for s in deflating.add(PIECES[3])] == PIECES[:1]
        assert stuck.let_go.is_set()
        assert [s.packed for s in deflating.rest()] == PIECES[1:4]
    assert threading.current_thread() not in stuck.threads
    assert len(set(stuck.threads)) == 2


def test_what_fails_in_another_thread_fails_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(piece: bytes) -> Segment:
        raise MemoryError(len(piece))

    monkeypatch.setattr(deflating_module, "deflated", fail)
    with closing(Deflating()) as deflating:
        assert deflating.add(PIECES[0]) == []
        with pytest.raises(MemoryError):
            deflating.rest()


def test_a_writer_that_is_closed_early_leaves_no_thread() -> None:
    with closing(GzipWriter(io.BytesIO())) as writer:
        for piece in PIECES:
            writer.write(piece)
        assert workers()


def test_a_backup_of_much_or_one_that_is_refused_leaves_no_thread(base: Path) -> None:
    (base / "tables" / "text" / "large").write_bytes(b"".join(PIECES))
    create_backup(base)
    (base / "tables" / "text" / "zz").symlink_to("large")
    with pytest.raises(BackupUnsafe):
        create_backup(base)
