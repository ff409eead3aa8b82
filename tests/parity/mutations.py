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
    is_slow: bool = False
    """Whether finding it takes many seconds."""


MUTATIONS: Sequence[Mutation] = (
    Mutation(
        "before-the-target-instead-of-at",
        "versions/version_log.py",
        "if line.timestamp <= target]",
        "if line.timestamp < target]",
    ),
    Mutation(
        "the-newest-of-equal-timestamps",
        "table.py",
        "timestamps[: timestamps.index(timestamp) + 1]",
        "timestamps[: len(timestamps) - timestamps[::-1].index(timestamp)]",
        seed=4,
        is_slow=True,
    ),
    Mutation(
        "a-negative-seek-off-by-one",
        "versions/bsdiff_stream.py",
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
        "versions/version_log.py",
        "enumerate(split_lines(content), 1)",
        "enumerate(filter(bytes.strip, split_lines(content)), 1)",
        seed=2,
    ),
    Mutation(
        "a-lone-carriage-return-ends-a-line",
        "versions/version_log.py",
        'content.split(b"\\n")',
        'content.replace(b"\\r", b"\\n").split(b"\\n")',
        is_slow=True,
    ),
    Mutation(
        "crlf-is-not-accepted", "versions/version_log.py", 'line.removesuffix(b"\\r")', "line"
    ),
    Mutation(
        "an-action-of-256",
        "versions/version_log.py",
        "U8_MAX = 2**8 - 1",
        "U8_MAX = 2**8",
        is_slow=True,
    ),
    Mutation(
        "a-user-past-u32",
        "versions/version_log.py",
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
        "versions/bsdiff_stream.py",
        "stream[at + mix : at + mix + add]))",
        "stream[at + mix : at + mix + max(add - 1, 0)]))",
    ),
    Mutation(
        "sums-that-overflow",
        "versions/bsdiff_stream.py",
        'low = int.from_bytes(b"\\x7f" * size)',
        'low = int.from_bytes(b"\\x3f" * size)',
        seed=4,
    ),
    Mutation(
        "a-cut-stream-is-whole", "versions/delta.py", "if not decoder.eof:", "if False:", seed=3
    ),
    Mutation(
        "glued-to-the-last-line",
        "versions/version_log.py",
        'b"\\n" if content and',
        'b"" if content and',
        is_slow=True,
    ),
    Mutation(
        "the-first-line-of-users-counts",
        "registry.py",
        "_header, *lines = split_lines(path.read_bytes())",
        "lines = split_lines(path.read_bytes())",
    ),
    Mutation(
        "the-earlier-line-of-a-user-wins",
        "registry.py",
        "for code, known in _read(path, U32_MAX) or ()}",
        "for code, known in reversed(_read(path, U32_MAX) or [])}",
        is_slow=True,
    ),
    Mutation("codes-from-0-on", "registry.py", "max(codes, default=0)", "max(codes, default=-1)"),
    Mutation("a-code-past-u32", "registry.py", "% (U32_MAX + 1)", "% (U32_MAX + 2)", is_slow=True),
    Mutation(
        "a-code-in-use",
        "registry.py",
        "return code if code not in codes else next(n for n in count() if n not in codes)",
        "return code",
        is_slow=True,
    ),
    Mutation(
        "two-fields-are-no-user",
        "registry.py",
        "if len(fields) >= 2",
        "if len(fields) >= 3",
        is_slow=True,
    ),
    Mutation(
        "users-up-to-what-is-no-utf-8",
        "registry.py",
        "            continue",
        "            break",
        is_slow=True,
    ),
    Mutation(
        "glued-to-the-last-user",
        "registry.py",
        'b"" if content.endswith(b"\\n") else b"\\n"',
        'b""',
        is_slow=True,
    ),
    Mutation(
        "user-names-without-spaces",
        "registry.py",
        "yield code, fields[1]",
        "yield code, fields[1].strip()",
        is_slow=True,
    ),
    Mutation(
        "user-names-in-any-case",
        "registry.py",
        "yield code, fields[1]",
        "yield code, fields[1].lower()",
        is_slow=True,
    ),
    Mutation(
        "a-user-without-its-line",
        "registry.py",
        "files.replace(path, content + separator + line)",
        "files.replace(path, content)",
        is_slow=True,
    ),
    Mutation(
        "one-try-for-the-lock",
        "locks.py",
        "for attempt in range(TRIES):",
        "for attempt in [0]:",
        is_slow=True,
    ),
    Mutation(
        "a-lock-that-stays-taken-is-another-error",
        "locks.py",
        'operation="acquire_write_lock"',
        'operation="lock"',
        is_slow=True,
    ),
    Mutation(
        "a-lock-is-followed",
        "locks.py",
        "os.O_CREAT | os.O_NOFOLLOW | os",
        "os.O_CREAT | os",
        is_slow=True,
    ),
    Mutation(
        "no-lock-is-made", "locks.py", "os.O_RDWR | os.O_CREAT | os", "os.O_RDWR | os", is_slow=True
    ),
    Mutation(
        "the-lock-before-the-log",
        "restore.py",
        "version = version_log.newest_at_or_before(table.log(), target)",
        "table.lock_path.touch(); version = version_log.newest_at_or_before(table.log(), target)",
        is_slow=True,
    ),
    Mutation(
        "a-delta-before-the-code",
        "table.py",
        "code = registry.user_code(self.base_path, user, clock=self._clock)",
        "files.write_new(chain.delta_path(self.folder, self._clock()), encoded); "
        "code = registry.user_code(self.base_path, user, clock=self._clock)",
        is_slow=True,
    ),
    Mutation(
        "utf-8-before-all-lines",
        "versions/version_log.py",
        'text = line.decode("utf-8")',
        'text = (line.decode("utf-8"), content.decode("utf-8"))[0]',
        is_slow=True,
    ),
    Mutation(
        "every-carriage-return-at-an-end",
        "versions/version_log.py",
        'line.removesuffix(b"\\r")',
        'line.rstrip(b"\\r")',
        is_slow=True,
    ),
    Mutation(
        "white-space-as-python-has-it",
        "versions/version_log.py",
        "if text.strip(_WHITE_SPACE):",
        "if text.strip():",
        is_slow=True,
    ),
    Mutation(
        "a-version-before-others",
        "table.py",
        "max(now, newest + 1) if newest < U64_MAX else now",
        "now",
        is_slow=True,
    ),
    Mutation(
        "a-symlink-becomes-a-file",
        "table.py",
        "pending.replace(os.path.realpath(self.current_path))",
        "pending.replace(self.current_path)",
        is_slow=True,
    ),
    Mutation(
        "symlinked-logs-become-files",
        "files.py",
        "path = Path(os.path.realpath(path))",
        "path = Path(path)",
        is_slow=True,
    ),
    Mutation(
        "leftovers-stay",
        "table.py",
        "if _LEFTOVER.fullmatch(entry.name):",
        "if not entry.name:",
        is_slow=True,
    ),
    Mutation(
        "names-lose-what-is-no-utf-8",
        "restore.py",
        'decode("utf-8", "replace")',
        'decode("utf-8", "ignore")',
        is_slow=True,
    ),
    Mutation(
        "hidden-tables-are-passed-over",
        "restore.py",
        "if entry.is_dir(follow_symlinks=False))",
        'if entry.is_dir(follow_symlinks=False) and entry.name[0] != ".")',
        is_slow=True,
    ),
    Mutation(
        "symlinks-are-tables",
        "restore.py",
        "entry.is_dir(follow_symlinks=False)",
        "entry.is_dir()",
        is_slow=True,
    ),
    Mutation(
        "a-first-delta-may-be-a-folder",
        "versions/chain.py",
        "if not stat.S_ISREG(path.stat().st_mode):",
        "if not path.stat():",
        is_slow=True,
    ),
    Mutation(
        "a-current-that-leads-nowhere",
        "os_errors.py",
        "return os.path.exists(path)",
        "return os.path.lexists(path)",
        is_slow=True,
    ),
    Mutation(
        "names-with-signs-are-foreign",
        "list.py",
        "stem != name else None",
        "stem.isdigit() else None",
        is_slow=True,
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
