"""Copies of the port with one line changed, each as an adapter of its own."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import reedbase_backup

_PACKAGE = Path(reedbase_backup.__file__).parent


@dataclass(frozen=True)
class Mutation:
    """One changed line of the port."""

    name: str
    file: str
    """In reedbase_backup/last/."""
    line: str
    """A part of the line that stands in the file once."""
    changed: str
    seed: int = 1
    """Of a campaign that finds it soon: any does in the end."""


MUTATIONS: Sequence[Mutation] = (
    Mutation(
        "before-the-target-instead-of-at",
        "version_log.py",
        "if line.timestamp <= target]",
        "if line.timestamp < target]",
    ),
    Mutation(
        "the-newest-of-equal-timestamps",
        "table.py",
        "timestamps[: timestamps.index(timestamp) + 1]",
        "timestamps[: len(timestamps) - timestamps[::-1].index(timestamp)]",
        seed=4,
    ),
    Mutation(
        "a-negative-seek-off-by-one",
        "bsdiff_stream.py",
        "else I64_MAX + 1 - value",
        "else I64_MAX - value",
    ),
    Mutation(
        "written-by-admin",
        "restore.py",
        "table.bring_back(content, registry.SYSTEM)",
        'table.bring_back(content, "admin")',
    ),
    Mutation(
        "the-action-rollback",
        "table.py",
        "encoded, registry.UPDATE, user)",
        "encoded, 3, user)",
    ),
    Mutation(
        "blank-lines-are-not-counted",
        "version_log.py",
        "enumerate(split_lines(content), 1)",
        "enumerate(filter(bytes.strip, split_lines(content)), 1)",
        seed=2,
    ),
    Mutation(
        "a-lone-carriage-return-ends-a-line",
        "version_log.py",
        'content.split(b"\\n")',
        'content.replace(b"\\r", b"\\n").split(b"\\n")',
    ),
    Mutation("crlf-is-not-accepted", "version_log.py", 'line.removesuffix(b"\\r")', "line"),
    Mutation("an-action-of-256", "version_log.py", "U8_MAX = 2**8 - 1", "U8_MAX = 2**8"),
    Mutation(
        "a-user-past-u32",
        "version_log.py",
        "user = parse_number(fields[2], U32_MAX)",
        "user = parse_number(fields[2], U64_MAX)",
    ),
    Mutation(
        "skipped-as-an-error",
        "restore.py",
        "report.tables_skipped.append(name)",
        "report.errors.append((name, TableNotFound(name=name)))",
    ),
    Mutation(
        "the-last-extra-byte-is-lost",
        "bsdiff_stream.py",
        "stream[at + mix : at + mix + add]))",
        "stream[at + mix : at + mix + max(add - 1, 0)]))",
    ),
    Mutation(
        "sums-that-overflow",
        "bsdiff_stream.py",
        'low = int.from_bytes(b"\\x7f" * size)',
        'low = int.from_bytes(b"\\x3f" * size)',
        seed=4,
    ),
    Mutation("a-cut-stream-is-whole", "delta.py", "if not decoder.eof:", "if False:", seed=3),
    Mutation(
        "glued-to-the-last-line", "version_log.py", 'b"\\n" if content and', 'b"" if content and'
    ),
    Mutation(
        "names-with-signs-are-foreign",
        "list.py",
        "stem != name else None",
        "stem.isdigit() else None",
    ),
)
"""Realistic slips, each in behaviour that contract `last` states."""


def served(mutation: Mutation | None, folder: Path) -> str:
    """The command line of the port, with the mutation if there is one, from a copy in `folder`."""
    copy = folder / "reedbase_backup"
    shutil.copytree(_PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
    if mutation is not None:
        path = copy / "last" / mutation.file
        source = path.read_text("utf-8")
        assert source.count(mutation.line) == 1, f"{mutation.name}: the line is there once"
        path.write_text(source.replace(mutation.line, mutation.changed), "utf-8")
    # -P: nothing of the working folder's goes before the copy.
    command = ["env", f"PYTHONPATH={folder}", sys.executable, "-P", "-m", "reedbase_backup"]
    return shlex.join([*command, "serve", "python-last"])
