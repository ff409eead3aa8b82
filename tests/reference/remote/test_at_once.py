"""Two copies at once come to the same as one, whenever the other comes between."""

from __future__ import annotations

import errno
import functools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from fixture_types import BackupAt
from reference.remote.fixture_types import Far, MakeFar

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


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_store_that_knows_no_conditions_is_asked_before(
    base: Path,
    backup_at: BackupAt,
    make_far: MakeFar,
    monkeypatch: pytest.MonkeyPatch,
    is_taken: bool,
) -> None:
    class Refusal(Exception):
        response: ClassVar = {"Error": {"Code": "NotImplemented"}}

    far = make_far("memory")
    backup_at(base, 1000)
    file_system = type(far.store._files)  # type: ignore[attr-defined]
    put_file = file_system.put_file

    def put(self: Any, path: str, name: str, mode: str = "overwrite", **given: Any) -> None:
        if mode == "create":
            raise OSError(errno.ENOSYS, "not implemented") from Refusal
        put_file(self, path, name, mode=mode, **given)

    monkeypatch.setattr(file_system, "put_file", put)
    if is_taken:
        before(monkeypatch, type(far.store), "_put_new", lambda: far.store.put("1000.tar.gz", b"x"))
    assert copy_backups(base, far.url).has_failed is is_taken
    assert (far.read("1000.tar.gz") == b"x") is is_taken


@pytest.mark.parametrize("is_taken", [True, False])
def test_a_disk_without_hard_links_spares_what_has_the_name_too(
    base: Path,
    backup_at: BackupAt,
    make_far: MakeFar,
    monkeypatch: pytest.MonkeyPatch,
    is_taken: bool,
) -> None:
    far = make_far("file")
    backup_at(base, 1000)

    def link(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    if is_taken:
        other = functools.partial((Path(far.url) / "1000.tar.gz").write_bytes, b"x")
        before(monkeypatch, type(far.store), "_name", other)
    assert copy_backups(base, far.url).has_failed is is_taken
    assert (far.read("1000.tar.gz") == b"x") is is_taken
    assert not [name for name in far.names() if name.startswith(".")]
