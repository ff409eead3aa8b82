"""The rows, with what each is to come up to.

Targets are this project's own, set beside what was measured on one machine of two cores with
ext4: docs/performance.md shows what came of them.
"""

from __future__ import annotations

from pytest_reedbackup.bench.changes import (
    add_one_percent,
    change_one_percent_anew,
    change_one_table,
    others_archives,
    set_aside,
)
from pytest_reedbackup.bench.rows import Job, Row
from pytest_reedbackup.databases.spec import BULK_1M, BULK_10K, HISTORY_10K, SMALL

_CREATES = (
    Row(
        "create/history/first",
        "create, 10,000 versions, first",
        Job.CREATE,
        HISTORY_10K,
        {"tar": 1.3, "borg": None, "restic": None},
        is_first=True,
    ),
    Row(
        "create/history/new",
        "create, 10,000 versions, 1 % more",
        Job.CREATE,
        HISTORY_10K,
        {"tar": 2, "borg": 10, "restic": None},
        change=add_one_percent,
    ),
    Row(
        "create/1m/first",
        "create, 1M rows, first",
        Job.CREATE,
        BULK_1M,
        {"tar": 10, "pigz": None, "zstd": 1, "borg": None, "restic": None},
        is_first=True,
    ),
    Row(
        "create/1m/one-table",
        "create, 1M rows, one table of four changed",
        Job.CREATE,
        BULK_1M,
        {"tar": 25},
        change=change_one_table,
    ),
    Row(
        "create/1m/same",
        "create, 1M rows, unchanged",
        Job.CREATE,
        BULK_1M,
        {"borg": 8, "restic": None},
    ),
    Row(
        "create/10k/first",
        "create, 10k rows, first",
        Job.CREATE,
        BULK_10K,
        {"tar": 5, "pigz": None, "zstd": None},
        is_first=True,
    ),
    Row("create/10k/same", "create, 10k rows, unchanged", Job.CREATE, BULK_10K, {"tar": 8}),
)

_RESTORES = (
    Row(
        "restore/history/changed",
        "restore, 10,000 versions, 1 % differs",
        Job.RESTORE,
        HISTORY_10K,
        {"tar": 1.7},
        limit=0.3,
        change=change_one_percent_anew,
        is_by_best=True,
    ),
    Row(
        "restore/history/nothing",
        "restore, 10,000 versions, into nothing",
        Job.RESTORE,
        HISTORY_10K,
        {"tar": 1},
        change=set_aside,
    ),
    Row(
        "restore/1m/same",
        "restore, 1M rows",
        Job.RESTORE,
        BULK_1M,
        {"tar": 2, "borg": None, "restic": None},
    ),
    Row(
        "restore/1m/one-table",
        "restore, 1M rows, one table of four differs",
        Job.RESTORE,
        BULK_1M,
        {"tar": 6},
        change=change_one_table,
    ),
    Row("restore/10k/same", "restore, 10k rows", Job.RESTORE, BULK_10K, {"tar": 1}),
)

_OTHERS = (
    Row("verify/history", "verify, 10,000 versions", Job.VERIFY, HISTORY_10K, {"gzip": 0.5}),
    Row("verify/1m", "verify, 1M rows", Job.VERIFY, BULK_1M, {"gzip": 2}),
    Row("list/own", "list, 32 backups of 1M rows", Job.LIST, BULK_1M, limit=0.001, backups=32),
    Row(
        "list/others",
        "list, 32 archives of tar, of 1M rows",
        Job.LIST,
        BULK_1M,
        limit=0.001,
        prepare=others_archives,
    ),
    Row(
        "memory/create",
        "create, 1M rows, peak memory",
        Job.CREATE_MEMORY,
        BULK_1M,
        {"bare Python": None},
        limit=40,
        backups=0,
    ),
    Row(
        "memory/restore",
        "restore, 1M rows, peak memory",
        Job.RESTORE_MEMORY,
        BULK_1M,
        {"bare Python": None},
        limit=40,
    ),
    Row(
        "port/newest",
        "restore as `last` does, newest of 10,000 versions",
        Job.NEWEST_VERSION,
        HISTORY_10K,
        {"lzma": None},
        limit=1.8,
        backups=0,
    ),
    Row(
        "start",
        "`reedbackup list`, from start to end",
        Job.START,
        SMALL,
        {"bare Python": None},
        limit=0.05,
    ),
)

_SUITES = (
    Row(
        "suite/first",
        "the suite, first run, no faults",
        Job.SUITE,
        SMALL,
        {"one wait": None},
        limit=20,
    ),
    Row(
        "suite/again",
        "the suite, again, no faults",
        Job.SUITE_AGAIN,
        SMALL,
        {"one wait": None},
        limit=12,
    ),
    Row(
        "suite/again-2",
        "the suite, again, -n 2, no faults",
        Job.SUITE_AGAIN_IN_TWO,
        SMALL,
        {"one wait": None},
        limit=8,
    ),
    # 20 s of the first run, and the 30 s that quick sweeps have.
    Row("suite/faults", "the suite, first run", Job.SUITE_WITH_FAULTS, SMALL, limit=50),
)

ROWS = (*_CREATES, *_RESTORES, *_OTHERS, *_SUITES)
