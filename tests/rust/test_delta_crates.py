"""The port's deltas against the Rust crates that the baseline's words come from.

`bsdiff` 0.2 is named in contract `last`, "On disk"; the texts of its xz errors are
those of `xz2`. What the two say of many damaged and odd deltas, the port
must say too, and what they make of the others, byte for byte.
"""

from __future__ import annotations

import fcntl
import lzma
import random
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from fixture_types import FindTool

from reedbase_backup.errors import ReedError
from reedbase_backup.last.versions import delta

pytestmark = pytest.mark.slow

EXAMPLES = 1_500
SEED = 60

MANIFEST = """
[package]
name = "delta-oracle"
version = "0.0.0"
edition = "2021"
[dependencies]
bsdiff = "0.2"
xz2 = "0.1"
[workspace]
"""
# For each line with the paths of old content and delta, a line: the error, or the new content.
SOURCE = r"""
use std::io::{BufRead, Read};
fn applied(old: &[u8], delta: &[u8]) -> Result<Vec<u8>, String> {
    let (mut stream, mut new) = (Vec::new(), Vec::new());
    xz2::read::XzDecoder::new(delta).read_to_end(&mut stream)
        .map_err(|error| format!("XZ read error: {error}"))?;
    bsdiff::patch(old, &mut &stream[..], &mut new)
        .map_err(|error| format!("bspatch error: {error:?}"))?;
    Ok(new)
}
fn main() {
    for line in std::io::stdin().lock().lines() {
        let line = line.unwrap();
        let (old, delta) = line.split_once('\t').unwrap();
        match applied(&std::fs::read(old).unwrap(), &std::fs::read(delta).unwrap()) {
            Err(reason) => println!("{reason}"),
            Ok(new) => println!("{}", new.iter().map(|b| format!("{b:02x}")).collect::<String>()),
        }
    }
}
"""


@pytest.fixture(scope="module")
def oracle(request: pytest.FixtureRequest, tool: FindTool) -> Path:
    """The built program; it stays in pytest's cache folder."""
    cargo = tool("cargo")
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir("rust-delta-oracle")
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for path, text in {"Cargo.toml": MANIFEST, "src/main.rs": SOURCE}.items():
            file = folder / path
            if not file.is_file() or file.read_text() != text:
                file.parent.mkdir(exist_ok=True)
                file.write_text(text)
        build = [cargo, "build", "--release", "--quiet", "--target-dir", str(folder / "target")]
        subprocess.run(build, cwd=folder, check=True)
    return folder / "target" / "release" / "delta-oracle"


def port(old: bytes, packed: bytes) -> str:
    """What the port makes of a delta, in the oracle's words."""
    try:
        return delta.apply(old, packed).hex()
    except ReedError as error:
        return str(error.fields["reason"])


def examples(draw: random.Random) -> Iterator[tuple[bytes, bytes]]:
    """Old contents and deltas: sound, of odd streams, in odd packings, and damaged."""
    for _ in range(EXAMPLES):
        old = bytes(draw.choices(b"abc|\n\r\0", k=draw.choice((0, 1, 5, 30, 300, 5_000))))
        packed = packing(draw, stream(draw)) if draw.random() < 0.7 else edit(draw, old)
        yield old, damaged(draw, packed) if draw.random() < 0.4 else packed


def edit(draw: random.Random, old: bytes) -> bytes:
    """The delta of a few changes to `old`."""
    new = bytearray(old)
    for _ in range(draw.randrange(4)):
        at = draw.randrange(len(new) + 1)
        new[at : at + draw.randrange(9)] = draw.randbytes(draw.randrange(9))
    return delta.diff(old, bytes(new))


def stream(draw: random.Random) -> bytes:
    """Records whose numbers fit, nearly fit, are negative, or are absurd."""
    records = b""
    for _ in range(draw.randrange(5)):
        mix, add, seek = (number(draw) for _ in range(3))
        block = draw.choices((0, 0, 0, 1, 128, 255), k=min(mix + add, 5_000))
        records += struct.pack("<QQQ", mix, add, seek) + bytes(block)
    return records[: draw.randrange(len(records) + 1)] if draw.random() < 0.2 else records


def number(draw: random.Random) -> int:
    if draw.random() < 0.85:
        return draw.randrange(30)
    negative = 2**63 | draw.randrange(30)
    return draw.choice((negative, 2**32, 2**62, 2**63 - 1, 2**63, 2**64 - 1))


def packing(draw: random.Random, content: bytes) -> bytes:
    checks = (lzma.CHECK_CRC64, lzma.CHECK_CRC32, lzma.CHECK_SHA256, lzma.CHECK_NONE)
    xz = lzma.compress(content, check=draw.choice(checks))
    return draw.choice((xz, xz, xz, xz, content, lzma.compress(content, lzma.FORMAT_ALONE)))


def damaged(draw: random.Random, packed: bytes) -> bytes:
    at, to = sorted(draw.randrange(len(packed) + 1) for _ in range(2))
    flipped = bytearray(packed or b"\0")
    flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
    return draw.choice(
        (
            bytes(flipped),
            packed[:at],
            packed[:-1],
            packed[:at] + packed[to:],
            packed[:at] + draw.randbytes(3) + packed[at:],
            packed + draw.randbytes(8),
            packed + bytes(4),
            packed + bytes(40_000),  # more than a reader's buffer
            packed + packed,
            b"",
        )
    )


def test_the_port_and_the_crates_agree_on_every_delta(oracle: Path, tmp_path: Path) -> None:
    drawn = list(examples(random.Random(SEED)))
    lines = []
    for position, pair in enumerate(drawn):
        paths = [tmp_path / f"{position}.{kind}" for kind in ("old", "delta")]
        for path, content in zip(paths, pair, strict=True):
            path.write_bytes(content)
        lines.append("\t".join(map(str, paths)))
    said = subprocess.run(
        [oracle], input="\n".join(lines), capture_output=True, text=True, check=True
    )
    expected = said.stdout.splitlines()
    different = [
        (old, packed, theirs, ours)
        for (old, packed), theirs in zip(drawn, expected, strict=True)
        if (ours := port(old, packed)) != theirs
    ]
    assert different[:3] == []
    reasons = {line for line in expected if "error" in line}
    assert len(reasons) == 6, "each reason that contract `last` names must have come up"
    assert sum("error" not in line for line in expected) > EXAMPLES // 4
