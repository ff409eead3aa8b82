"""FORMAT.md says what the code does: its files, its figures, its header and its order."""

from __future__ import annotations

import re
import tarfile
from pathlib import Path

import reedbase_backup.archive
from reedbase_backup import create_backup
from reedbase_backup.archive import gzip_header, limits, manifest
from reedbase_backup.archive.reuse import index

FOLDER = Path(reedbase_backup.archive.__file__).parent
PAGE = (FOLDER / "FORMAT.md").read_text(encoding="utf-8")
UNITS = {"KiB": 1 << 10, "MiB": 1 << 20}


def figures(row: str) -> list[int]:
    """Return the figures in the row of the table of limits that begins with `row`, in bytes."""
    (line,) = [line for line in PAGE.splitlines() if line.startswith(f"| {row}")]
    pairs = re.findall(r"(\d[\d,]*)(?: (KiB|MiB))?", line.removeprefix(f"| {row}"))
    return [int(number.replace(",", "")) * UNITS.get(unit, 1) for number, unit in pairs]


def test_its_links_lead_to_files_and_every_file_has_one() -> None:
    links = set(re.findall(r"\]\((.+?)\)", PAGE))
    assert all((FOLDER / link).is_file() for link in links)
    files = {str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.py")}
    assert {name for name in files if not name.endswith("__init__.py")} <= links


def test_its_limits_are_those_of_the_code() -> None:
    assert figures("a member's name") == [limits.MAX_PATH]
    assert figures("a pax header") == [limits.MAX_EXTENSION]
    assert figures("a text in a gzip header") == [limits.MAX_GZIP_TEXT]
    assert figures("all names") == [limits.NAME_COST, limits.FREE_NAMES, limits.NAMES_PER_BYTE]
    assert figures("all headers") == [
        limits.RECORD_COST,
        limits.FREE_HEADERS,
        limits.HEADERS_PER_BYTE,
    ]
    assert figures("the sizes of all files") == [limits.CONTENT_PER_BYTE]
    assert figures("what hard links repeat") == [limits.FREE_LINKED, limits.CONTENT_PER_BYTE]


def test_its_headers_are_as_long_as_ours() -> None:
    ((length, older),) = re.findall(r"its first (\d+) bytes, or (\d+)", PAGE)
    assert int(length) == gzip_header.SIZE
    assert int(older) == len(gzip_header.encode(gzip_header.Summary(0, 0, 0)))


def test_its_order_of_members_is_ours(base: Path) -> None:
    (base / "tables" / "a.txt").touch()
    (base / "tables" / "zz" / "inner").mkdir(parents=True)
    (base / "tables" / "zz" / "inner" / "b").touch()
    (base / "tables" / "zz" / "x").touch()
    archive = base / "backups" / f"{create_backup(base).id}.tar.gz"
    with tarfile.open(archive) as tar:
        names = tar.getnames()
    assert names[:2] == ["tables", "tables/a.txt"]
    table = [name for name in names if name.startswith("tables/zz")]
    assert table == ["tables/zz", "tables/zz/x", "tables/zz/inner", "tables/zz/inner/b"]
    tables = [name for name in names if re.fullmatch("tables/[^/.]+", name)]
    assert tables == sorted(tables)
    assert len(tables) > 1
    assert names.index("indices") > names.index("tables/zz/inner/b")
    assert names[-2:] == [manifest.NAME.decode(), index.NAME.decode()]
