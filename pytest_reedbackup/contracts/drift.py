"""The drift between the two contracts as data.

What the baseline does about each rule of contract `ticket`, as BASELINE.md has it
("What the Rust baseline `last/` does", measured on the real crate), and what
ticket 060-OPS-01 says about the rules of contract `last`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fact:
    """What the baseline does where the ticket's contract has a rule."""

    baseline: str
    source: str
    """The document and the section that say so."""
    defects: tuple[str, ...] = ()
    """Ids in BASELINE.md's table of defects."""
    ticket: str = ""
    """The place in the ticket that states the rule; none where the ticket is silent."""


_API = 'BASELINE.md, "API"'
_DEFECTS = 'BASELINE.md, "Defects seen"'
_CREATE = 'BASELINE.md, "create_backup"'
_LIST = 'BASELINE.md, "list_backups"'
_RESTORE = 'BASELINE.md, "restore_point_in_time"'
_NO_ARCHIVES = "never reads archives"

BASELINE: Mapping[str, Fact] = {
    "create/archive": Fact(
        "runs `tar czf {base}/backups/{secs}.tar.gz -C {parent} {dirname}`: the members are"
        " {dirname}/…, not tables/ and indices/",
        _API,
        ticket="Architecture, create 1, 4, 5",
    ),
    "create/content": Fact(
        "the whole base folder, registry/ and backups/ with the archive being written too;"
        " 7 of 12 creates failed with `file changed as we read it`",
        _DEFECTS,
        ("D1", "D3"),
        ticket="Architecture, create 2, 3",
    ),
    "create/info": Fact(
        "timestamp, path, size_bytes, size_mb: neither an id nor table_count nor compression",
        _API,
        ticket="Public Types",
    ),
    "create/durable": Fact(
        "syncs nothing: a backup that was reported is not there after a power cut at once, and has"
        " 0 bytes after one within the next 30 s",
        _DEFECTS,
        ("D13",),
    ),
    "create/power-cut": Fact(
        "writes the archive under its name and syncs nothing: what a kill or a power cut leaves of"
        " it is listed as a backup",
        _DEFECTS,
        ("D2", "D11", "D13"),
    ),
    "create/failing-call": Fact(
        "a failed create leaves its archive, which list_backups shows", _DEFECTS, ("D2",)
    ),
    "create/source-untouched": Fact("makes backups/ and runs tar, nothing else", _CREATE),
    "create/hot": Fact("runs tar on the tables as they are; no lock is taken", _CREATE),
    "create/concurrent": Fact(
        "two creates in one second write one archive, and each restore writes to the tables",
        _DEFECTS,
        ("D4",),
    ),
    "create/private": Fact("leaves the modes of archive and backups/ to the umask", _CREATE),
    "create/same-second": Fact("the second backup overwrites the first", _DEFECTS, ("D4",)),
    "create/clock-backwards": Fact(
        "the clock's second is the archive's name; nothing is pruned", _API, ("D5",)
    ),
    "create/no-base": Fact(
        "makes the base, and reports a 172-byte archive of nothing as success",
        _DEFECTS,
        ("D6",),
    ),
    "create/no-tables": Fact("archives whatever there is, without a look for tables/", _CREATE),
    "create/no-indices": Fact(
        "archives whatever there is; a restore does nothing to indices/", _RESTORE
    ),
    "create/special-file": Fact("leaves them to tar", _CREATE),
    "create/failure-leaves-nothing": Fact(
        "a failed create leaves its archive, which list_backups shows: 12 listed, 5 had succeeded",
        _DEFECTS,
        ("D2",),
    ),
    "create/compression": Fact(
        "gzip by tar; each backup holds all earlier ones, so that sizes double",
        _DEFECTS,
        ("D3",),
        ticket="Why this module, Compression",
    ),
    "create/retention": Fact(
        "keeps every backup", _DEFECTS, ("D5",), ticket="Architecture, create 6"
    ),
    "create/retention-foreign": Fact("deletes nothing at all", _DEFECTS, ("D5",)),
    "list/order": Fact("newest first; a second has one backup at most", _LIST, ("D4",)),
    "list/empty": Fact("without backups/ an empty list", _LIST),
    "list/foreign": Fact(
        "lists folders and symlinks, and names that Rust reads as a u64: +5, 007", _LIST, ("D11",)
    ),
    "list/read-only": Fact("reads the names and sizes in backups/", _LIST),
    "list/unreadable": Fact("lists empty and non-gzip files as backups", _LIST, ("D11",)),
    "restore/pick": Fact(
        f"{_NO_ARCHIVES}: rolls each table back to its own newest version at or before the target"
        " (nanoseconds), by its version.log",
        _RESTORE,
        ("D14",),
        ticket="Architecture, restore 1",
    ),
    "restore/none": Fact(
        "success; a table without such a version is named in tables_skipped",
        _RESTORE,
        ("D14",),
        ticket="Step 5, test_restore_missing_backup",
    ),
    "restore/exact-tree": Fact(
        "writes the old content as a new version of each table; dropped tables, new tables and"
        " indices/ stay as they are",
        _RESTORE,
        ("D14",),
        ticket="Architecture, restore 2, 3, 4",
    ),
    "restore/others-untouched": Fact(
        "writes in the tables' folders, as the user system, who is added to registry/users.dict"
        " by a code that another may have where the file is damaged",
        _RESTORE,
        ("D16",),
    ),
    "restore/modes": Fact(
        f"{_NO_ARCHIVES}; modes stay what they have become since", _RESTORE, ("D14",)
    ),
    "restore/placement": Fact(
        f"{_NO_ARCHIVES}; tables are written to where they are", _RESTORE, ("D14",)
    ),
    "restore/planted": Fact(
        "opens .lock and its temporary files by name, through symlinks", _DEFECTS, ("D17",)
    ),
    "restore/report": Fact(
        "target_timestamp, and by table: the versions restored, the skipped, the errors; no bytes"
        " and no time",
        _API,
        ticket="Public Types",
    ),
    "restore/idempotent": Fact(
        "every restore adds a version to every table; where version.log lacks its last newline,"
        " the next restore fails with LogCorrupted",
        _DEFECTS,
        ("D7",),
    ),
    "restore/extremes": Fact(
        "takes any u64 of nanoseconds; tables without a version so early are skipped", _RESTORE
    ),
    "restore/corrupt": Fact(
        f"{_NO_ARCHIVES}; of tables' deltas, a changed first one or another valid one restores"
        " wrong content and reports success",
        _DEFECTS,
        ("D8", "D14"),
        ticket="Architecture, restore 5",
    ),
    "restore/hostile": Fact(_NO_ARCHIVES, _DEFECTS, ("D14",)),
    "restore/foreign-archive": Fact(
        "no function of the module restores an archive", _DEFECTS, ("D14",)
    ),
    "restore/atomic": Fact(
        "overwrites current.csv in place, table by table, without fsync; an error midway leaves"
        " rollback_N.tmp, one about the user comes when current.csv is overwritten; after a power"
        " cut version.log ends in 28 NUL bytes",
        _DEFECTS,
        ("D10", "D13", "D15"),
    ),
    "restore/durable": Fact(
        "syncs nothing: after a power cut at once nothing of a reported restore has happened;"
        " after the next write of the journal (within 5 s) each restored table's version.log ends"
        " in 28 NUL bytes, which is LogCorrupted ever after, and its new delta has 0 bytes, with"
        " noauto_da_alloc current.csv too",
        _DEFECTS,
        ("D13",),
    ),
    "restore/power-cut": Fact(
        f"{_NO_ARCHIVES}; overwrites current.csv in place, table by table, and syncs nothing",
        _DEFECTS,
        ("D13", "D14"),
    ),
    "restore/failing-call": Fact(
        "where users.dict cannot be appended to, the error comes when current.csv is overwritten,"
        " and a delta stays that no log line names; an error midway leaves rollback_N.tmp",
        _DEFECTS,
        ("D10", "D15"),
    ),
    "surface/functions": Fact(
        "the same three functions; but the target is in nanoseconds, backups are in seconds",
        _API,
        ticket="Public Functions",
    ),
    "surface/types": Fact(
        "two types of these names with other fields: of the ticket's eight, only timestamp and"
        " size_bytes are there as stated",
        _API,
        ticket="Public Types",
    ),
    "bounds/create-10k": Fact(
        "bulk shape 35 ms, history shape 119 to 129 ms",
        'DESIGN.md, "Measured facts"',
        ticket="Performance",
    ),
    "bounds/restore-10k": Fact(
        "grows with versions: 8.2 s to the newest of 10,001 versions",
        _DEFECTS,
        ("D12",),
        ticket="Performance",
    ),
    "bounds/ratio": Fact("is the measure itself", _API, ticket="Regression"),
}
"""By the ticket's rule, in the order of the contract's tables."""

UNKNOWN = Fact("is not described", "BASELINE.md")
"""For rules of a user's own."""


@dataclass(frozen=True, slots=True)
class Saying:
    """What the ticket says where the baseline's contract has a rule."""

    ticket: str
    place: str
    """Where in the ticket."""


_TYPES = Saying("id, timestamp, size_bytes, table_count, compression", "Public Types")
_CONTENT = Saying("all of tables/ and all of indices/", "Architecture, create 2, 3")
_DURABLE = Saying("says nothing; by its contract nothing is lost that was reported", "")

TICKET: Mapping[str, Saying] = {
    "restore/pick": Saying(
        "the newest backup at or before the target; both in seconds", "Architecture, restore 1"
    ),
    "restore/skip": Saying(
        "a missing backup is a case of its own", "Step 5, test_restore_missing_backup"
    ),
    "restore/content": Saying("what the archive holds", "Architecture, restore 2, 3"),
    "restore/report": Saying(
        "three numbers: tables_restored, total_bytes, duration_ms", "Public Types"
    ),
    "restore/new-version": Saying(
        "restores tables/, as the archive has them", "Architecture, restore 3"
    ),
    "restore/archives-unread": Saying("extracts the archive", "Architecture, restore 2"),
    "restore/long-history": Saying("less than 200 ms", "Performance"),
    "delta/unverified": Saying("verifies integrity", "Architecture, restore 5"),
    "list/info": _TYPES,
    "create/archive": Saying(
        "a TAR, compressed by gzip, in .reed/backups/", "Architecture, create 1, 4, 5"
    ),
    "create/content": _CONTENT,
    "create/own-backups": _CONTENT,
    "create/info": _TYPES,
    "create/power-cut": _DURABLE,
    "restore/power-cut": _DURABLE,
    "create/keeps-all": Saying("keeps 32, cleans up the older ones", "Architecture, create 6"),
    "create/tar-failure": Saying("uses the crates tar and flate2", "Dependencies"),
    "surface/functions": Saying("the same three functions", "Public Functions"),
    "surface/types": Saying("two types of the same names, with other fields", "Public Types"),
    "surface/report-state": Saying("a type of three fields and no more", "Public Types"),
}
"""By the baseline's rule."""

SILENT = Saying("says nothing about it", "")
"""For all other rules."""
