"""Contract `ticket`: what ticket 060-OPS-01 specifies, rule by rule.

Where the ticket is silent, the rules below decide. Timestamps are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping

RULES: Mapping[str, str] = {
    "surface/functions": "offers the ticket's three functions with its signatures",
    "create/archive": "writes one gzip member holding a plain tar to backups/{id}.tar.gz",
    "create/no-indices": "accepts a base without indices/",
    "create/content": "holds every file and folder of tables/ and indices/, with mode and mtime",
    "create/source-untouched": "leaves tables/, indices/ and registry/ byte for byte as before",
    "create/no-base": "refuses a base that is missing or no folder, and creates nothing",
    "create/no-tables": "refuses a base without tables/; an empty tables/ is a database",
    "create/info": "returns what list_backups then shows first",
    "create/private": "keeps the archive closed to whom any file of tables/ is closed",
    "create/same-second": "keeps two backups of one second, with two ids, the later one newer",
    "create/clock-backwards": "keeps a backup made after the clock went back, with that time",
    "list/order": "lists the newest first; of one second, the latest created first",
    "list/empty": "gives an empty list where there are no backups, and creates nothing",
    "list/foreign": "ignores other names, folders, symlinks and non-canonical numbers",
    "list/unreadable": "leaves out what cannot be a complete backup",
    "list/read-only": "changes nothing on disk, and works where nothing can be written",
    "create/special-file": "refuses symlinks, FIFOs, sockets and devices by name",
    "create/hot": "takes each table before a write or after it, waiting for its lock up to 60 s",
    "create/failure-leaves-nothing": "leaves no archive and no partial file after an error",
    "create/compression": "makes the 10k-row database at most 35 % of its size",
    "create/retention": "keeps the 32 newest backups and always the one just made",
    "create/retention-foreign": "neither counts nor deletes files that are not its backups",
    "restore/exact-tree": "makes tables/ and indices/ exactly what they were",
    "restore/modes": "brings back modes, but for set-id and sticky bits of files if it clears them",
    "restore/report": "reports tables, bytes and milliseconds truly",
    "restore/others-untouched": "leaves everything beside tables/ and indices/ as it was",
    "restore/pick": "takes the newest backup at or before the target",
    "restore/none": "answers BackupNotFound where every backup is later, and changes nothing",
    "restore/idempotent": "gives the same tree when repeated; restores follow restores",
    "restore/foreign-archive": "restores a plain tar.gz of tables/ and indices/ made by others",
    "restore/extremes": "follows the same rule for every target from 0 to 2^64-1",
    "restore/corrupt": "refuses a damaged archive by name and leaves the live tree alone",
    "restore/hostile": "refuses archives that reach out of the database, and writes nothing",
    "restore/atomic": "killed at any point, leaves the old tree or the new one to the next call",
    "restore/placement": "restores mount points, lower layers, read-only folders, many tables",
    "restore/planted": "writes through nothing that others put in its way or in the live tree",
    "create/concurrent": "makes whole backups and no mixture beside other creates and restores",
    "create/durable": "reports a backup that a power cut right then does not cost",
    "restore/durable": "reports a restored tree that a power cut right then does not cost",
    "create/power-cut": "survives a power cut or a kill at any moment, with every older backup",
    "restore/power-cut": "survives a power cut at any moment with the old tree or the new one",
    "create/failing-call": "answers an error and leaves all as before, whatever system call fails",
    "restore/failing-call": "answers an error and leaves all as before, whatever system call fails",
    "surface/types": "returns the ticket's two types with just their fields",
    "bounds/create-10k": "backs the 10k-row database up in less than 100 ms",
    "bounds/restore-10k": "restores the 10k-row database in less than 200 ms",
    "bounds/ratio": "takes at most 110 % of the baseline's time",
}
"""What an implementation promises, by rule id (contract `ticket`).

They are in the order in which the suite checks them: a rule comes after those
that its cases rely on, so that the first case that fails is about the promise
that is broken. The `surface` rules are the ticket's "Regression" criteria: type
count 2, function count 3.
"""

OPTIONAL: Mapping[str, str] = {
    "bounds/ratio": "there is nothing to compare with where no --reedbackup-baseline is given",
}
"""Rules that a conforming implementation need not have been held to, and why."""

CREATE_10K_BOUND_SECS = 0.100
"""Ticket 060-OPS-01, "Performance": create_backup() < 100 ms (10k rows)."""

RESTORE_10K_BOUND_SECS = 0.200
"""Ticket 060-OPS-01, "Performance": restore_point_in_time() < 200 ms."""

COMPRESSION_LIMIT = 0.35
"""The ticket's reduction of about 70 %, with 5 points of tolerance."""

RETENTION = 32
"""Ticket 060-OPS-01, "Architecture", step 6: keep 32."""

ERROR_KINDS = frozenset(
    {
        *("IoError", "CommandFailed", "PermissionDenied", "LockTimeout", "NoTablesFound"),
        *("TableNotFound", "TableAlreadyExists", "VersionNotFound", "LogCorrupted"),
        *("DecompressionFailed", "DeltaApplicationFailed", "DeltaGenerationFailed"),
        *("BackupNotFound", "BackupCorrupted", "BackupUnsafe"),
    }
)
"""The documented kinds of errors: variants of `ReedError`, and three of the ticket's own."""
