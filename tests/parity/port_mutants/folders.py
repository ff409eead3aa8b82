"""Mutants in what is taken for a table or a backup, and in what is reported."""

from __future__ import annotations

from parity.port_mutants.model import PortMutant

FOLDERS = (
    PortMutant(
        "written-by-admin",
        "restore.py",
        "table.bring_back(content, registry.SYSTEM)",
        'table.bring_back(content, "admin")',
    ),
    PortMutant(
        "skipped-as-an-error",
        "restore.py",
        "report.tables_skipped.append(name)",
        "report.errors.append((name, TableNotFound(name=name)))",
    ),
    PortMutant(
        "the-lock-before-the-log",
        "restore.py",
        "version = version_log.newest_at_or_before(table.log(), target)",
        "table.lock_path.touch(); version = version_log.newest_at_or_before(table.log(), target)",
        is_slow=True,
    ),
    PortMutant(
        "names-lose-what-is-no-utf-8",
        "restore.py",
        'decode("utf-8", "replace")',
        'decode("utf-8", "ignore")',
        is_slow=True,
    ),
    PortMutant(
        "hidden-tables-are-passed-over",
        "restore.py",
        "if entry.is_dir(follow_symlinks=False))",
        'if entry.is_dir(follow_symlinks=False) and entry.name[0] != ".")',
        is_slow=True,
    ),
    PortMutant(
        "symlinks-are-tables",
        "restore.py",
        "entry.is_dir(follow_symlinks=False)",
        "entry.is_dir()",
        is_slow=True,
    ),
    PortMutant(
        "a-current-that-leads-nowhere",
        "os_errors.py",
        "return os.path.exists(path)",
        "return os.path.lexists(path)",
        is_slow=True,
    ),
    PortMutant(
        "names-with-signs-are-foreign",
        "list.py",
        "stem != name else None",
        "stem.isdigit() else None",
        is_slow=True,
    ),
)
