"""Two copies at once come to the same as one, whenever the other comes between."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fixture_types import BackupAt
from reference.remote.fixture_types import Far

from reedbase_backup.remote import copy_backups, list_remote

BETWEEN = {
    "file": ("_filled", "_name", "publish", "put"),
    "sftp": ("_filled", "_name", "publish", "put"),
    "memory": ("publish", "_put_new", "put"),
    "s3": ("_put_new",),
}
"""Methods of the store before which the other comes."""

LAST = {"file": "_name", "sftp": "_name", "memory": "_put_new", "s3": "_put_new"}
"""The last of them where it can come without being seen before."""


def before(
    monkeypatch: pytest.MonkeyPatch, kind: type, name: str, other: Callable[[], Any]
) -> None:
    """Have `other` run once, just before the method `name` is called."""
    method, is_due = getattr(kind, name), [True]

    def late(self: Any, *given: Any) -> Any:
        if is_due:
            is_due.clear()
            other()
        return method(self, *given)

    monkeypatch.setattr(kind, name, late)


def test_a_copy_meets_another_that_has_just_done_the_same(
    base: Path, backup_at: BackupAt, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_at(base, 1000)
    archive = (base / "backups" / "1000.tar.gz").read_bytes()
    for name in BETWEEN[far.kind]:
        with monkeypatch.context() as patched:
            before(patched, type(far.store), name, lambda: copy_backups(base, far.url))
            report = copy_backups(base, far.url)
        assert not report.has_failed, name
        assert far.names() == ["1000.tar.gz", "1000.tar.gz.sha256"], name
        assert far.read("1000.tar.gz") == archive, name
        assert [one.sha256 is not None for one in list_remote(far.url)] == [True], name
        for leftover in far.names():
            far.store.remove(leftover)


def test_of_two_archives_of_one_id_at_once_the_first_stays(
    base: Path, backup_at: BackupAt, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_at(base, 1000)
    other = functools.partial(far.store.put, "1000.tar.gz", b"another")
    before(monkeypatch, type(far.store), LAST[far.kind], other)
    report = copy_backups(base, far.url)
    assert [type(one.error).__name__ for one in report.backups] == ["OtherArchive"]
    assert far.read("1000.tar.gz") == b"another"
    assert far.names() == ["1000.tar.gz"]
