"""Mutants in the reading and writing of users.dict."""

from __future__ import annotations

from parity.port_mutants.model import PortMutant

REGISTRY = (
    PortMutant(
        "the-first-line-of-users-counts",
        "registry.py",
        "_header, *lines = split_lines(path.read_bytes())",
        "lines = split_lines(path.read_bytes())",
    ),
    PortMutant(
        "the-earlier-line-of-a-user-wins",
        "registry.py",
        "for code, known in _read(path, U32_MAX) or ()}",
        "for code, known in reversed(_read(path, U32_MAX) or [])}",
        is_slow=True,
    ),
    PortMutant("codes-from-0-on", "registry.py", "max(codes, default=0)", "max(codes, default=-1)"),
    PortMutant(
        "a-code-past-u32", "registry.py", "% (U32_MAX + 1)", "% (U32_MAX + 2)", is_slow=True
    ),
    PortMutant(
        "a-code-in-use",
        "registry.py",
        "return code if code not in codes else next(n for n in count() if n not in codes)",
        "return code",
        is_slow=True,
    ),
    PortMutant(
        "two-fields-are-no-user",
        "registry.py",
        "if len(fields) >= 2",
        "if len(fields) >= 3",
        is_slow=True,
    ),
    PortMutant(
        "users-up-to-what-is-no-utf-8",
        "registry.py",
        "            continue",
        "            break",
        is_slow=True,
    ),
    PortMutant(
        "glued-to-the-last-user",
        "registry.py",
        'b"" if content.endswith(b"\\n") else b"\\n"',
        'b""',
        is_slow=True,
    ),
    PortMutant(
        "user-names-without-spaces",
        "registry.py",
        "yield code, fields[1]",
        "yield code, fields[1].strip()",
        is_slow=True,
    ),
    PortMutant(
        "user-names-in-any-case",
        "registry.py",
        "yield code, fields[1]",
        "yield code, fields[1].lower()",
        is_slow=True,
    ),
    PortMutant(
        "a-user-without-its-line",
        "registry.py",
        "files.replace(path, content + separator + line)",
        "files.replace(path, content)",
        is_slow=True,
    ),
)
