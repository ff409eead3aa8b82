"""Power cuts: what is reported or relied upon was synced before."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from reference.faults.traced import (
    COMMITTED,
    DONE,
    RunTraced,
)

from reedbase_backup import create_backup

# Power cuts: what is reported or relied upon was synced before -------------------


def test_an_archive_is_on_disk_before_it_has_its_name_and_its_name_before_success(
    small: Path, run_traced: RunTraced
) -> None:
    run = run_traced("create", small)
    content = run.at("fsync", "/backups/.reedbackup-partial")
    written = max(i for i, call in enumerate(run.calls) if call[0] == "write")
    name = run.at("link", "/backups/.reedbackup-partial")
    folder = run.at("fsync", "/backups>")
    assert written < content < name < folder


def test_a_backup_is_on_disk_before_an_older_one_is_pruned(
    small: Path, run_traced: RunTraced
) -> None:
    backups = small / "backups"
    for second in range(1001, 1032):
        shutil.copy(backups / "1000.tar.gz", backups / f"{second}.tar.gz")
    run = run_traced("create", small)
    assert run.at("fsync", "/backups>") < run.at("rename", "/1000.tar.gz")


def test_the_folder_of_the_first_backup_is_on_disk_too(small: Path, run_traced: RunTraced) -> None:
    shutil.rmtree(small / "backups")
    run = run_traced("create", small)
    assert run.at("mkdir", "/backups") < run.at("fsync", f"{small}>") < run.at("link")


def test_new_trees_are_on_disk_before_the_old_ones_are_touched(
    small: Path, run_traced: RunTraced
) -> None:
    expected = {"tables", "tables/t", "tables/t/current.csv", "tables/t/version.log"}
    expected |= {"tables/t/.lock", "indices", "indices/metadata.json", ""}
    run = run_traced("restore", small)

    committed = run.at("rename", COMMITTED)
    synced = {
        arguments.partition("/new")[2].strip("/>")
        for name, arguments in run.calls[:committed]
        if name == "fsync" and "/new" in arguments
    }
    assert synced == expected
    journal = run.at("rename", '"journal.new"', '"journal"')
    written = run.at("fsync", "/journal.new>")
    folders = [place for place, call in enumerate(run.calls) if is_sync(call, "staging-[^/]*>$")]
    assert written < journal < folders[-1] < committed
    base_synced = [place for place, call in enumerate(run.calls) if is_sync(call, f"{small}>$")]
    assert committed < base_synced[0] < run.at("rename", '"tables"', "/old>")
    installed = run.at("rename", "/new>", '"indices"$')
    done = run.at("rename", DONE)
    removed = min(i for i, call in enumerate(run.calls) if call[0] in ("unlinkat", "rmdir"))
    assert installed < base_synced[1] < done < base_synced[2] < removed
    for part in ("new", "old"):
        moved = [i for i, call in enumerate(run.calls) if is_sync(call, f"commit-[^/]*/{part}>$")]
        assert installed < moved[-1] < done


def is_sync(call: tuple[str, str], what: str) -> bool:
    return call[0] == "fsync" and re.search(what, call[1]) is not None


def test_many_new_files_are_synced_at_once_before_the_old_ones_are_touched(
    small: Path, run_traced: RunTraced
) -> None:
    for to in ("backed up", "changed"):
        for n in range(100):
            (small / "tables" / "t" / f"{n}.bsdiff").write_text(to)
        if to == "backed up":
            create_backup(small)
    run = run_traced("restore", small)
    journal = run.at("rename", '"journal.new"', '"journal"')
    written = max(i for i, call in enumerate(run.calls[: journal - 2]) if call[0] == "write")
    # A table's lock is timed later, when it is linked.
    timed = run.at("utimensat", "/99.bsdiff")
    synced = run.at("syncfs")
    assert max(written, timed) < synced < run.at("rename", COMMITTED)


def test_many_linked_files_are_synced_at_once_before_the_old_trees_are_touched(
    small: Path, run_traced: RunTraced
) -> None:
    """A live file may have been written a moment ago, by somebody who did not sync it."""
    for n in range(100):
        (small / "tables" / "t" / f"{n}.bsdiff").write_text(str(n))
    create_backup(small)
    (small / "tables" / "t" / "current.csv").write_text("changed")
    run = run_traced("restore", small)
    linked = max(i for i, call in enumerate(run.calls) if call[0] == "linkat")
    assert run.at("linkat", '"99.bsdiff", .*/new/tables/t') <= linked
    assert linked < run.at("syncfs") < run.at("rename", COMMITTED)


def test_what_is_live_already_is_on_disk_before_success(small: Path, run_traced: RunTraced) -> None:
    """It may have been written a moment ago, by somebody who did not sync it."""
    create_backup(small)
    run = run_traced("restore", small)
    live = {"tables", "indices"}
    live |= {str(p.relative_to(small)) for root in live for p in (small / root).rglob("*")}
    synced = {
        arguments.partition(f"{small}/")[2].rstrip(">")
        for name, arguments in run.calls
        if name == "fsync"
    }
    assert synced >= live
    assert not [arguments for _, arguments in run.calls if ".reedbackup-commit-" in arguments]
