"""Mutants in the reading of version.log, deltas and their streams."""

from __future__ import annotations

from parity.port_mutants.model import PortMutant

VERSIONS = (
    PortMutant(
        "before-the-target-instead-of-at",
        "versions/version_log.py",
        "if line.timestamp <= target]",
        "if line.timestamp < target]",
    ),
    PortMutant(
        "a-negative-seek-off-by-one",
        "versions/bsdiff_stream.py",
        "else I64_MAX + 1 - value",
        "else I64_MAX - value",
    ),
    PortMutant(
        "blank-lines-are-not-counted",
        "versions/version_log.py",
        "enumerate(split_lines(content), 1)",
        "enumerate(filter(bytes.strip, split_lines(content)), 1)",
        seed=2,
    ),
    PortMutant(
        "a-lone-carriage-return-ends-a-line",
        "versions/version_log.py",
        'content.split(b"\\n")',
        'content.replace(b"\\r", b"\\n").split(b"\\n")',
        is_slow=True,
    ),
    PortMutant(
        "crlf-is-not-accepted", "versions/version_log.py", 'line.removesuffix(b"\\r")', "line"
    ),
    PortMutant(
        "an-action-of-256",
        "versions/version_log.py",
        "parse_number(fields[1], U8_MAX)",
        "parse_number(fields[1], U8_MAX + 1)",
        is_slow=True,
    ),
    PortMutant(
        "a-user-past-u32",
        "versions/version_log.py",
        "user = parse_number(fields[2], U32_MAX)",
        "user = parse_number(fields[2], U64_MAX)",
    ),
    PortMutant(
        "the-last-extra-byte-is-lost",
        "versions/bsdiff_stream.py",
        "stream.part(at + mix, at + mix + add)",
        "stream.part(at + mix, at + mix + max(add - 1, 0))",
    ),
    PortMutant(
        "sums-that-overflow",
        "versions/bsdiff_stream.py",
        'low = int.from_bytes(b"\\x7f" * size)',
        'low = int.from_bytes(b"\\x3f" * size)',
        seed=4,
    ),
    PortMutant(
        "a-cut-stream-is-whole", "versions/delta.py", "if not decoder.eof:", "if False:", seed=3
    ),
    PortMutant(
        "glued-to-the-last-line",
        "versions/version_log.py",
        'b"\\n" if content and',
        'b"" if content and',
        is_slow=True,
    ),
    PortMutant(
        "utf-8-before-all-lines",
        "versions/version_log.py",
        'text = line.decode("utf-8")',
        'text = (line.decode("utf-8"), content.decode("utf-8"))[0]',
        is_slow=True,
    ),
    PortMutant(
        "every-carriage-return-at-an-end",
        "versions/version_log.py",
        'line.removesuffix(b"\\r")',
        'line.rstrip(b"\\r")',
        is_slow=True,
    ),
    PortMutant(
        "white-space-as-python-has-it",
        "versions/version_log.py",
        "if text.strip(_WHITE_SPACE):",
        "if text.strip():",
        is_slow=True,
    ),
    PortMutant(
        "a-first-delta-may-be-a-folder",
        "versions/chain.py",
        "if not stat.S_ISREG(path.stat().st_mode):",
        "if not path.stat():",
        is_slow=True,
    ),
)
