"""What the port does about each defect of the baseline (BASELINE.md, "Defects seen")."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PortDivergence:
    """One defect, and the port's answer to it."""

    id: str
    """The defect's id in BASELINE.md."""
    baseline: str
    """What the baseline does."""
    port: str
    """What the port does."""
    cases: tuple[str, ...] = ()
    """The cases of the conformance suite that show it; none where outcomes do not differ."""


DIVERGENCES = {
    divergence.id: divergence
    for divergence in (
        PortDivergence(
            "D1",
            "create_backup archives backups/ with the archive being written, and often fails",
            "leaves backups/ out of the archive",
            ("last/create/own-backups",),
        ),
        PortDivergence(
            "D2",
            "a failed create_backup leaves its archive, which list_backups shows",
            "an archive gets its name when it is whole and synced; a failure leaves nothing, and "
            "what a killed create left goes away with the next one",
            ("last/create/tar-failure/listed",),
        ),
        PortDivergence(
            "D3",
            "every backup holds all earlier ones",
            "leaves backups/ out of the archive",
            ("last/create/own-backups/earlier-ones",),
        ),
        PortDivergence(
            "D4",
            "the second backup in one second overwrites the first",
            "the second one takes the next free second",
            ("last/create/same-second",),
        ),
        PortDivergence(
            "D5",
            "keeps every backup, though the ticket says 32",
            "agrees: to delete nothing is safe, and contract `last` has no retention",
        ),
        PortDivergence(
            "D6",
            "create_backup makes a base that does not exist, and reports a backup of nothing",
            "raises IoError (create_backup_dir) and creates nothing",
            ("last/create/missing-base",),
        ),
        PortDivergence(
            "D7",
            "glues its line to a last line of version.log that lacks its newline; the table can "
            "never be restored again",
            "ends the last line first",
            (
                "last/log/no-final-newline",
                "last/log/no-final-newline/afterwards",
            ),
        ),
        PortDivergence(
            "D8",
            "never verifies content: a changed first delta, another valid delta or a current.csv "
            "changed from outside go unnoticed",
            "agrees: the format has no checksum, and the size in version.log, which it could "
            "compare, the baseline demonstrably ignores",
        ),
        PortDivergence(
            "D9",
            "a table whose current.csv is lost is TableNotFound, though its deltas are there",
            "restores it from the deltas; TableNotFound only if they do not give the version",
            ("last/restore/no-current/deltas-there",),
        ),
        PortDivergence(
            "D10",
            "an error midway leaves rollback_N.tmp in the table's folder",
            "rebuilds in memory: it makes no rollback_N.tmp, and opens none that is there",
            (
                "last/restore/leftovers/the-first-delta",
                "last/restore/leftovers/a-later-delta",
            ),
        ),
        PortDivergence(
            "D11",
            "lists folders, dangling symlinks, empty and non-gzip files as backups",
            "lists whole gzip files only, and symlinks to them",
            (
                "last/list/not-archives/a-folder",
                "last/list/not-archives/a-dangling-symlink",
                "last/list/not-archives/an-empty-file",
                "last/list/not-archives/no-gzip",
            ),
        ),
        PortDivergence(
            "D12",
            "restore to the newest of 10,000 versions takes 8.2 s",
            "the same result in about a quarter of the time",
        ),
        PortDivergence(
            "D13",
            "syncs nothing and overwrites current.csv in place: after a power cut a reported "
            "restore is gone, or the log ends in NUL bytes beside empty deltas, and a reported "
            "backup is empty",
            "syncs files and folders before it reports success, and replaces files whole; after a "
            "crash the next writer of the table finishes or drops the unfinished version",
            (
                "last/restore/in-place",
                "last/restore/in-place/no-sync",
                "last/restore/power-cut",
                "last/create/power-cut",
            ),
        ),
        PortDivergence(
            "D14",
            "no function restores an archive",
            "agrees: contract `last` has none; `tar xzf` unpacks the archives",
        ),
        PortDivergence(
            "D15",
            "where users.dict cannot be appended to, reports the error after it has overwritten "
            "current.csv, and leaves a delta that no log line names",
            "has the user's code before it writes anything; the error leaves all as it was",
            (
                "last/registry/unwritable/users-dict-is-a-folder",
                "last/registry/unwritable/registry-is-a-file",
                "last/restore/failing-call",
            ),
        ),
        PortDivergence(
            "D16",
            "reads a damaged users.dict up to the damage, and gives system a code that a line "
            "behind it may already give to another; after 4294967295 it is 0, whoever has that; "
            "glues its line to a last one without newline",
            "reads every line that can be read, gives a code that none of them uses, and ends the "
            "last line first",
            (
                "last/registry/damaged/behind-the-damage",
                "last/registry/damaged/not-utf-8",
                "last/registry/no-final-newline",
            ),
        ),
        PortDivergence(
            "D17",
            "opens .lock, rollback.tmp, rollback_N.tmp and current.new.tmp through symlinks, and "
            "creates or overwrites what they point to",
            "follows none: a symlink .lock is IoError (create_lock_file), and the others it never "
            "opens",
            (
                "last/restore/planted/lock",
                "last/restore/planted/first-version",
                "last/restore/planted/later-version",
                "last/restore/planted/next-content",
            ),
        ),
    )
}
"""By id, D1 … D17, each defect once."""
