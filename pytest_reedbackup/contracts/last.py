"""Contract `last`: what the Rust crate `last/` does today, rule by rule.

Backups carry Unix seconds, restore targets are Unix nanoseconds. Where the
baseline has a defect, the rule says what it does all the same; its case is
marked with the defect, and an implementation that does the safe thing instead
declares that divergence.

What comes of power cuts, kills and failing system calls was measured, too: as defects D13 and
D15, under restore/power-cut, create/power-cut and restore/failing-call. What the baseline keeps
even then are the rules restore/interrupted and create/interrupted, by which an implementation
is held to more where it does the safe thing: one that replaces current.csv by a new file, rather
than overwrite it in place, must leave each table as before or as restored, and list whole
backups only.
"""

from __future__ import annotations

from collections.abc import Mapping

RULES: Mapping[str, str] = {
    "restore/pick": "takes each table's newest version at or before the target",
    "restore/skip": "skips a table without such a version, and leaves it as it is",
    "restore/content": "makes current.csv that version's content, byte for byte",
    "restore/report": "reports the target, the tables with their versions, and the skipped ones",
    "restore/new-version": "adds the content as a new version by the user system",
    "restore/again": "restores what was restored, forwards and backwards",
    "restore/others-untouched": "leaves everything else in the base as it was",
    "restore/no-tables": "answers NoTablesFound or IoError where tables/ is missing or no folder",
    "restore/passed-over": "passes over what is no folder under tables/",
    "restore/no-current": "answers TableNotFound for a table without current.csv",
    "restore/one-error": "has one table's error stop no other table",
    "restore/lock": "waits for the table's lock, and gives up with IoError after 50 tries",
    "restore/in-the-way": "answers IoError where a folder is in the place of a file that it writes",
    "restore/order": "answers the error of the first step that fails",
    "restore/planted": "opens .lock and its temporary files through symlinks",
    "restore/leftovers": "leaves its temporary file behind after an error midway",
    "restore/in-place": "overwrites current.csv in place and syncs nothing",
    "restore/interrupted": "costs no earlier version, whatever ends it or fails in its midst; and"
    " no table where files are replaced whole",
    "restore/power-cut": "loses what it reported in a power cut: at once all of it; after the next"
    " write of the journal version.log ends in 28 NUL bytes and the new deltas have 0 bytes",
    "restore/failing-call": "answers the error of a table that it has changed already",
    "restore/archives-unread": "takes nothing from the archives in backups/",
    "restore/long-history": "restores the newest of many versions, at a cost that is reported",
    "log/no-versions": "takes a missing, empty or blank version.log for one without versions",
    "log/accepted": "accepts further fields, plus signs, zeros, unknown codes, any size",
    "log/line-ends": "accepts CRLF and blank lines; a lone CR ends no line",
    "log/refused": "answers LogCorrupted with the line and the field that cannot be read",
    "log/first-fault": "judges lines one by one, so that the first bad one decides",
    "log/unreadable": "answers LogCorrupted where version.log is no text or no file",
    "log/order": "follows the log's order, and the oldest of equal timestamps",
    "log/no-final-newline": "glues its line to a last line without a newline",
    "delta/missing": "answers IoError with the operation where a delta is missing",
    "delta/in-the-way": "answers IoError with the operation where a folder is in a delta's place",
    "delta/undecodable": "answers DecompressionFailed where a delta is not one whole xz stream",
    "delta/unfit": "answers DeltaApplicationFailed where a delta does not fit",
    "delta/accepted": "accepts streams that end between records, and any xz checksum",
    "delta/unverified": "restores from changed deltas without noticing",
    "registry/system-user": "writes the code that users.dict gives system",
    "registry/missing": "has users.dict made where it is missing",
    "registry/actions-unread": "restores whatever actions.dict holds",
    "registry/damaged": "reads a damaged users.dict up to the damage",
    "registry/no-final-newline": "glues its line to a last line without a newline",
    "registry/unwritable": "answers IoError where users.dict cannot be appended to",
    "registry/two-bases": "keeps the users of two bases apart",
    "list/order": "lists the newest first",
    "list/info": "describes each by timestamp, path and size",
    "list/names": "takes names for numbers as Rust does, and passes over others",
    "list/empty": "gives an empty list where there are no backups, and creates nothing",
    "list/read-only": "changes nothing on disk",
    "list/error": "answers IoError where backups/ cannot be read",
    "list/not-archives": "lists folders, dangling symlinks and files that are no archives",
    "create/archive": "writes backups/{Unix seconds}.tar.gz, which gzip and tar accept",
    "create/content": "archives the whole base folder under its name",
    "create/info": "describes the archive by timestamp, path and size",
    "create/source-untouched": "leaves all but backups/ as it was",
    "create/own-backups": "archives backups/ with the rest",
    "create/same-second": "overwrites the backup of the same second",
    "create/keeps-all": "keeps every backup",
    "create/missing-base": "makes a base that does not exist, and archives nothing",
    "create/error": "answers IoError where backups/ cannot be made or the base has no name",
    "create/tar-failure": "answers CommandFailed with tar's words, and leaves the archive",
    "create/interrupted": "costs no table and no earlier backup, whatever ends it in its midst",
    "create/power-cut": "loses the backup that it reported in a power cut: at once all of it, after"
    " the next write of the journal its content",
    "surface/functions": "offers the three functions with the baseline's parameters",
    "surface/types": "returns the two types with just their fields",
    "surface/report-state": "says whether a report is a success, partial or a failure",
    "parity/fuzz": "does what the baseline does on generated databases, damaged ones too",
}
"""What an implementation promises, by rule id, in the order in which the suite checks."""

OPTIONAL: Mapping[str, str] = {
    "surface/report-state": "the adapter protocol carries values, and no methods of theirs",
    "parity/fuzz": "there is nothing to compare with where no --reedbackup-baseline is given",
}
"""Rules that a conforming implementation need not have been held to, and why."""

DEFECTS: Mapping[str, str] = {
    "D1": "create archives backups/ and the archive being written, and fails when tar notices",
    "D2": "a failed create leaves its archive, and list shows it",
    "D3": "every backup holds all earlier ones",
    "D4": "of two backups in one second, the second overwrites the first",
    "D5": "no retention, though the ticket says 32",
    "D6": "a base that does not exist is made, and an archive of nothing is a success",
    "D7": "a log without a final newline: the restore's line is glued to the last one, and"
    " every later restore of the table fails",
    "D8": "content is never verified: changed deltas restore wrong content as a success",
    "D9": "current.csv lost: TableNotFound, although the deltas are there",
    "D10": "an error midway leaves rollback_N.tmp in the table's folder",
    "D11": "list shows folders, dangling symlinks, empty files and files that are no gzip",
    "D12": "the cost of a restore grows with the versions, 8 s for 10,000",
    "D13": "no fsync, and current.csv is overwritten in place: a power cut after success leaves"
    " nothing of it, or version.log with 28 NUL bytes at its end, empty deltas and empty backups",
    "D14": "no function restores an archive",
    "D15": "users.dict cannot be appended to: the error comes after current.csv was overwritten,"
    " and leaves a delta that no log line names",
    "D16": "a damaged users.dict is read in part and in silence: system may get a code in use",
    "D17": "a symlink under the name of .lock or a temporary file is written through, also to the"
    " outside of the base",
}
"""The baseline's defects by id, each with at least one case that is marked with it."""
