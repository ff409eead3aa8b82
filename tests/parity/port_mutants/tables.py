"""Mutants in the locking and writing of one table."""

from __future__ import annotations

from parity.port_mutants.model import PortMutant

TABLES = (
    PortMutant(
        "the-newest-of-equal-timestamps",
        "table.py",
        "timestamps[: timestamps.index(timestamp) + 1]",
        "timestamps[: len(timestamps) - timestamps[::-1].index(timestamp)]",
        seed=4,
        is_slow=True,
    ),
    PortMutant(
        "the-action-rollback",
        "table.py",
        "encoded, registry.UPDATE, user)",
        "encoded, 3, user)",
    ),
    PortMutant(
        "one-try-for-the-lock",
        "locks.py",
        "for attempt in range(TRIES):",
        "for attempt in [0]:",
        is_slow=True,
    ),
    PortMutant(
        "a-lock-that-stays-taken-is-another-error",
        "locks.py",
        'operation="acquire_write_lock"',
        'operation="lock"',
        is_slow=True,
    ),
    PortMutant(
        "a-lock-is-followed",
        "locks.py",
        "os.O_CREAT | os.O_NOFOLLOW | os",
        "os.O_CREAT | os",
        is_slow=True,
    ),
    PortMutant(
        "no-lock-is-made", "locks.py", "os.O_RDWR | os.O_CREAT | os", "os.O_RDWR | os", is_slow=True
    ),
    PortMutant(
        "a-delta-before-the-code",
        "table.py",
        "code = registry.user_code(self.base_path, user, clock=self._clock)",
        "files.write_new(chain.delta_path(self.folder, self._clock()), encoded); "
        "code = registry.user_code(self.base_path, user, clock=self._clock)",
        is_slow=True,
    ),
    PortMutant(
        "a-version-before-others",
        "table.py",
        "max(now, newest + 1) if newest < U64_MAX else now",
        "now",
        is_slow=True,
    ),
    PortMutant(
        "a-symlink-becomes-a-file",
        "table.py",
        "pending.replace(os.path.realpath(self.current_path))",
        "pending.replace(self.current_path)",
        is_slow=True,
    ),
    PortMutant(
        "symlinked-logs-become-files",
        "files.py",
        "path = Path(os.path.realpath(path))",
        "path = Path(path)",
        is_slow=True,
    ),
    PortMutant(
        "leftovers-stay",
        "table.py",
        "if _LEFTOVER.fullmatch(entry.name):",
        "if not entry.name:",
        is_slow=True,
    ),
)
