"""Archives damaged at every place: who bears what nobody may bear is seen, wherever it is."""

from __future__ import annotations

import gzip
import io
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from mutants.conforming import Conforming
from mutants.model import Archive
from mutants.tar_gz import Members

from pytest_reedbackup.connections.connection import Connection
from pytest_reedbackup.connections.implementation import TicketImplementation
from pytest_reedbackup.databases.archives import pack, tree_in
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.changes import change_everything
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.injection.archive_damage import places_in
from pytest_reedbackup.injection.sweeps.damaged import sweep_damage
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.sweep import Sweep

AT = 1_600_000_000
QUICK_SECS = 3.0


class TakesAnyHeader(Conforming):
    """What a tar's headers say is believed, whatever their checksums are."""

    def unpack(self, archive: Archive, data: bytes) -> Members:
        return super().unpack(archive, _with_right_checksums(data))


class TakesWhatGrew(Conforming):
    """What follows the gzip member is passed over."""

    def decompress(self, archive: Archive) -> bytes:
        return gzip.GzipFile(fileobj=io.BytesIO(archive.path.read_bytes())).read(1 << 20)


def _with_right_checksums(tar: bytes) -> bytes:
    mended = bytearray(tar)
    with tarfile.open(fileobj=io.BytesIO(tar), mode="r:", ignore_zeros=True) as members:
        starts = [member.offset_data - 512 for member in members]
    for start in range(0, starts[-1] + 512 if starts else 0, 512):
        header = mended[start : start + 512]
        if header[257:262] == b"ustar":
            total = sum(header[:148]) + sum(header[156:]) + 8 * 32
            mended[start + 148 : start + 156] = b"%06o\0 " % total
    return bytes(mended)


Swept = Callable[[str, float | None], Sweep]


@pytest.fixture
def swept(tmp_path: Path, tests_for_children: None) -> Iterator[Swept]:
    """Sweeps over a foreign archive of an implementation, by its option; for so many seconds."""
    connections: list[Connection] = []

    def sweep(option: str, secs: float | None) -> Sweep:
        connection = Connection(option, tmp_path)
        connections.append(connection)
        implementation: TicketImplementation = TicketImplementation(connection, "ticket")
        base = tmp_path / "prepared" / ".reed"
        build(DatabaseSpec(tables=1, rows=2), base)
        pack(base, base / "backups" / f"{AT}.tar.gz")
        change_everything(base)
        sweeps: list[Sweep] = []
        until = None if secs is None else time.monotonic() + secs
        sweeper = Sweeper(tmp_path / "kept", until=until, record=sweeps.append)
        try:
            sweep_damage(sweeper, implementation, base, str(AT), AT)
        except BrokenPromise:
            assert sweeps[0].broken
        return sweeps[0]

    yield sweep
    for connection in connections:
        connection.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["TakesAnyHeader", "TakesWhatGrew"])
def test_who_bears_damage_is_seen_by_a_sample(swept: Swept, name: str) -> None:
    assert swept(f"{__name__}:{name}", QUICK_SECS).broken


@pytest.mark.slow
@pytest.mark.parametrize("option", ["python", "mutants.conforming:Conforming"])
def test_who_bears_what_means_nothing_is_not_accused(swept: Swept, option: str) -> None:
    sweep = swept(option, QUICK_SECS)
    assert not sweep.broken
    assert set(sweep.rows) == {"bytes", "cuts", "zeros", "behind", "tar headers"}


@pytest.mark.campaign
@pytest.mark.parametrize("option", ["python", "mutants.conforming:Conforming"])
def test_who_bears_what_means_nothing_is_accused_nowhere(swept: Swept, option: str) -> None:
    sweep = swept(option, None)
    assert not sweep.broken
    assert sweep.visited == sweep.points


def test_a_stranger_says_what_may_be_borne(tmp_path: Path) -> None:
    build(DatabaseSpec(tables=1, rows=2), tmp_path / ".reed")
    archive = pack(tmp_path / ".reed", tmp_path / "1.tar.gz")
    sound = tree_in(archive.read_bytes())
    borne = [
        damaged.what
        for row in places_in(archive.read_bytes(), thorough=False)
        for place in row
        for damaged in place.damages()
        if damaged.bearable is not None
    ]
    assert sound is not None
    # The time, the system and the speed in the header, its name, and the padding behind the end.
    assert "bit 4 of byte 4 flipped" in borne
    assert "zeros behind its end" in borne
    assert "itself as a second member" in borne
    assert not [what for what in borne if what.startswith("cut to")]
    assert len(borne) < 60
