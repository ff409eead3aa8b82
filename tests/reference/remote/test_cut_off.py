"""A copy that is killed leaves nothing half under an archive's name, and the next one goes on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest
from fixture_types import BackupAt
from reference.remote.fixture_types import Far, MakeFar

from reedbase_backup import create_backup
from reedbase_backup.picks import by_id
from reedbase_backup.remote import copy_backups, list_remote, restore_from
from reedbase_backup.remote.fetching import FarEnd
from reedbase_backup.remote.folders import Files, Folder, partial_name

CALLS = ("open", "write", "fsync", "link", "unlink", "mkdir", "replace", "ftruncate", "close")

# The child itself dies of SIGKILL, in the midst of what it sends.
CHILD = """
import os, signal, sys
from reedbase_backup.remote import copy_backups, copying, objects, sftp_files

base, url, after = sys.argv[1], sys.argv[2], int(sys.argv[3])
copying.CHUNK = 1000
objects._PART = 5 << 20
left = after

def one_more():
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)

def counted(call):
    def counting(*given, **named):
        one_more()
        return call(*given, **named)
    return counting

objects._Counting.call = counted(objects._Counting.call)
wait = sftp_files.SftpFiles._wait

def waiting(self, call, *given, **named):
    if getattr(call, "__name__", "") == "write":
        one_more()
    return wait(self, call, *given, **named)

sftp_files.SftpFiles._wait = waiting
copy_backups(base, url)
"""


def killed_copy(base: Path, far: Far, after: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CHILD, str(base), far.url, str(after)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def test_a_kill_at_any_call_on_a_folder_leaves_each_archive_whole_or_not_there(
    base: Path, tmp_path: Path, backup_at: BackupAt, make_far: MakeFar
) -> None:
    backup_at(base, 1000)
    archive = (base / "backups" / "1000.tar.gz").read_bytes()
    point, partials = 0, 0
    while True:
        far = tmp_path / f"far-{point}"
        if not _is_killed(lambda: copy_backups(base, str(far)), point):  # noqa: B023
            break
        names = os.listdir(far) if far.exists() else []
        partials += any(name.startswith(".") for name in names)
        if "1000.tar.gz" in names:
            assert (far / "1000.tar.gz").read_bytes() == archive, point
        report = copy_backups(base, str(far))
        assert not report.has_failed
        assert sorted(os.listdir(far)) == ["1000.tar.gz", "1000.tar.gz.sha256"]
        assert (far / "1000.tar.gz").read_bytes() == archive
        assert all(one.sha256 for one in list_remote(str(far)))
        point += 1
    assert point > 20
    assert partials > 5


def _is_killed(copy: Callable[[], object], point: int) -> bool:
    """Run `copy` in a fork that dies before a call on the disk; False where there are fewer."""
    with warnings.catch_warnings():
        # Of the threads of fsspec and of servers, which a copy to a folder has no use for.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        left, status = point, 1

        def dying(call: Callable[..., object]) -> Callable[..., object]:
            def dying_first(*given: object, **more: object) -> object:
                nonlocal left
                left -= 1
                if left < 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return call(*given, **more)

            return dying_first

        for name in CALLS:
            setattr(os, name, dying(getattr(os, name)))
        try:
            copy()
            status = 0
        finally:
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or status == 0
    return os.WIFSIGNALED(status)


def test_a_copy_by_sftp_goes_on_within_the_archive_where_it_was_killed(
    base: Path,
    backup_at: BackupAt,
    make_far: MakeFar,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    far = make_far("sftp")
    (base / "tables" / "text" / "big.bin").write_bytes(os.urandom(20_000))
    backup_at(base, 1000)
    killed_copy(base, far, 7)
    (partial,) = far.names()
    assert far.read(partial) == (base / "backups" / "1000.tar.gz").read_bytes()[:7000]

    offsets = []
    files = type(cast(Folder, far.store)._files)
    write = files.write

    def writing(self: Files, name: str, offset: int, *rest: Any) -> None:
        offsets.append((name, offset))
        write(self, name, offset, *rest)

    monkeypatch.setattr(files, "write", writing)
    copy_backups(base, far.url)
    assert (partial, 7000) in offsets
    assert far.names() == ["1000.tar.gz", "1000.tar.gz.sha256"]
    assert far.read("1000.tar.gz") == (base / "backups" / "1000.tar.gz").read_bytes()


def test_an_upload_to_s3_that_is_killed_leaves_no_object_and_the_next_is_whole(
    base: Path, backup_at: BackupAt, make_far: MakeFar
) -> None:
    far = make_far("s3")
    (base / "tables" / "text" / "big.bin").write_bytes(os.urandom(11 << 20))
    backup_at(base, 1000)
    killed_copy(base, far, 1)
    assert far.names() == []
    assert not copy_backups(base, far.url).has_failed
    assert far.names() == ["1000.tar.gz", "1000.tar.gz.sha256"]


@pytest.mark.parametrize("junk", [b"", b"wrong bytes", bytes(100_000)])
def test_what_is_wrong_in_what_was_cut_off_is_written_anew(
    base: Path, backup_at: BackupAt, make_far: MakeFar, junk: bytes
) -> None:
    far = make_far("file")
    backup_at(base, 1000)
    archive = (base / "backups" / "1000.tar.gz").read_bytes()
    copy_backups(base, far.url)
    digest = far.read("1000.tar.gz.sha256")[:64].decode()
    for name in far.names():
        far.store.remove(name)
    (Path(far.url) / partial_name("1000.tar.gz", digest)).write_bytes(junk)
    assert not copy_backups(base, far.url).has_failed
    assert far.names() == ["1000.tar.gz", "1000.tar.gz.sha256"]
    assert far.read("1000.tar.gz") == archive


def test_what_was_left_of_a_backup_that_is_gone_is_removed_and_foreign_files_stay(
    base: Path, backup_at: BackupAt, make_far: MakeFar
) -> None:
    far = make_far("file")
    backup_at(base, 2000)
    copy_backups(base, far.url)
    for name in (partial_name("1000.tar.gz", "0" * 64), ".reedbackup-partial-4711", "notes.txt"):
        (Path(far.url) / name).touch()
    copy_backups(base, far.url)
    assert far.names() == [
        ".reedbackup-partial-4711",
        "2000.tar.gz",
        "2000.tar.gz.sha256",
        "notes.txt",
    ]


def test_a_fetch_that_was_cut_off_goes_on_and_is_no_backup_before(
    base: Path, tmp_path: Path, backup_at: BackupAt, make_far: MakeFar
) -> None:
    far = make_far("file")
    backup_at(base, 1000)
    copy_backups(base, far.url)
    anew, point = tmp_path / "anew", 0
    archive = anew / "backups" / "1000.tar.gz"
    name = by_id("1000")(FarEnd(far.url).names)
    # What each kill has left, the next meets.
    while _is_killed(lambda: FarEnd(far.url).fetch(name, anew), point):
        assert not archive.exists() or archive.read_bytes() == far.read("1000.tar.gz")
        point += 1
    assert point > 5
    restore_from(far.url, anew, by_id("1000"))
    assert (anew / "tables" / "text").exists()
    create_backup(anew)
    assert len(os.listdir(anew / "backups")) == 2
