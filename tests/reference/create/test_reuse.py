"""What a backup takes over from the one before it, and what it never does."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from fixture_types import MakeBase
from reference.create.reuse import (
    everything,
    files_read,
    newest,
    read_by_a_backup,
    wait_a_tick,
)
from reference.restore.live import rewrite

from reedbase_backup import create_backup
from reedbase_backup.archive.reuse import origin, runs
from reedbase_backup.archive.reuse.origin import Origin
from reedbase_backup.archive.reuse.predecessor import SWITCH
from reedbase_backup.archive.reuse.runs import Run
from reedbase_backup.cli.commands import main
from reedbase_backup.disk import change_times, sharing


def test_of_a_database_that_is_as_it_was_no_file_is_read(backed_up: Path) -> None:
    for _ in range(3):
        assert read_by_a_backup(backed_up) == []


def test_of_one_changed_file_its_run_alone_is_read(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rewrite(backed_up / "tables" / "text" / "current.csv")
    read = read_by_a_backup(backed_up)
    assert "tables/text/current.csv" in read
    assert {name.rpartition("/")[0] for name in read} == {"tables/text"}


def test_what_was_changed_since_the_backup_before_began_is_read_once_more(base: Path) -> None:
    """It might have been changed again in the same tick of the clock."""
    wait_a_tick()
    create_backup(base)
    (base / "tables" / "text" / "current.csv").touch()
    wait_a_tick()
    assert "tables/text/current.csv" in read_by_a_backup(base)
    assert read_by_a_backup(base) == []


def test_a_file_as_old_as_the_start_of_the_backup_before_is_not_taken_over(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever came after in the same tick has the same time."""
    changed = (backed_up / "tables" / "text" / "current.csv").stat().st_ctime_ns
    real = origin.decode
    for began, is_read in ((changed, True), (changed + 1, False)):
        with monkeypatch.context() as patched:
            patched.setattr(origin, "decode", lambda c, t=began: real(c)._replace(began_ns=t))
            assert ("tables/text/current.csv" in read_by_a_backup(backed_up)) is is_read


def test_with_the_switch_at_0_or_the_option_all_is_read(
    backed_up: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with files_read() as names:
        assert main(["create", str(backed_up), "--no-reuse"]) == 0
        assert sorted(names) == everything(backed_up)
        names.clear()
        assert main(["create", str(backed_up)]) == 0
        assert names == []
        monkeypatch.setenv(SWITCH, "0")
        create_backup(backed_up)
        assert sorted(names) == everything(backed_up)


def test_on_a_file_system_whose_times_tell_too_little_nothing_is_taken_over(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wait_a_tick()
    create_backup(base)
    with monkeypatch.context() as patched:
        patched.setattr(change_times, "_FAITHFUL", ())
        assert sorted(read_by_a_backup(base)) == everything(base)
    assert read_by_a_backup(base) == []


def test_times_in_whole_seconds_tell_nothing(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(base / "tables" / "text" / "current.csv", "rb") as file:
        for nanoseconds in (0, 4_000_000):
            status = stat_like(os.fstat(file.fileno()), st_ctime_ns=10**18 + nanoseconds)
            with monkeypatch.context() as patched:
                patched.setattr(os, "fstat", lambda descriptor, status=status: status)
                made = Origin.of(file.fileno(), file.fileno())
            assert bool(made.began_ns) is bool(nanoseconds)


def stat_like(status: os.stat_result, **others: int) -> os.stat_result:
    """Return a status with some other fields."""
    order = ("st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size")
    first = [others.get(name, getattr(status, name)) for name in order]
    names = [name for name in dir(status) if name.startswith("st_") and name not in order]
    fields = {name: others.get(name, getattr(status, name)) for name in names}
    return os.stat_result([*first, *status[len(first) :]], fields)


def test_files_without_an_inode_number_or_on_another_device_are_not_told(base: Path) -> None:
    status = (base / "tables" / "text" / "current.csv").stat()
    assert _key("tables", "a", status, status.st_dev) is not None
    assert _key("tables", "a", status, status.st_dev + 1) is None
    assert _key("tables", "a", stat_like(status, st_ino=0), status.st_dev) is None


def test_a_time_out_of_all_reach_is_no_error(base: Path) -> None:
    os.utime(base / "tables" / "text" / "current.csv", (10**10, 10**10))
    wait_a_tick()
    create_backup(base)
    assert "tables/text/current.csv" in read_by_a_backup(base)


def test_a_new_file_spoils_one_run(make_base: MakeBase) -> None:
    base = make_base("t")
    for number in range(600):
        (base / "tables" / "t" / f"{number:03}").write_text(str(number))
    wait_a_tick()
    create_backup(base)
    (base / "tables" / "t" / "3000").touch()
    read = read_by_a_backup(base)
    assert 0 < len(read) <= runs._MOST_FILES


def test_who_may_read_is_known_of_files_that_are_taken_over(
    make_base: MakeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And where it is not, as after one that the group may not read, they are opened again."""
    for private in (None, 0o600):
        base = make_base("t", name=f"{private}")
        for path in (base, *base.rglob("*")):
            path.chmod(0o2770 if path.is_dir() else 0o660)
        if private:
            (base / "tables" / "t" / "current.csv").chmod(private)
        wait_a_tick()
        create_backup(base)
        assert bool(read_by_a_backup(base)) is bool(private)
        assert stat.S_IMODE(newest(base).stat().st_mode) == (0o600 if private else 0o640)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files to any group")
def test_a_file_of_another_group_that_is_taken_over_closes_the_backup_still(
    make_base: MakeBase,
) -> None:
    base = make_base("t")
    for path in (base, *base.rglob("*")):
        path.chmod(0o2770 if path.is_dir() else 0o660)
    os.chown(base / "tables" / "t" / "current.csv", -1, 4242)
    wait_a_tick()
    for _ in range(2):
        create_backup(base)
        assert stat.S_IMODE(newest(base).stat().st_mode) == 0o600
    assert read_by_a_backup(base) == []


def test_where_it_is_not_known_who_may_read_files_they_are_opened(
    make_base: MakeBase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a database that is nobody's but its owner's, no access list was looked for."""
    base = make_base("t")
    for path in (base, *base.rglob("*")):
        path.chmod(0o770 if path.is_dir() else 0o660)
    wait_a_tick()
    create_backup(base)
    for path in (base, *base.rglob("*")):
        if path.is_dir():
            path.chmod(0o2770)
    has_list = sharing._has_access_list

    def has_one(descriptor: int) -> bool:
        # As by setfacl, before the first backup.
        return os.readlink(f"/proc/self/fd/{descriptor}").endswith("current.csv") or has_list(
            descriptor
        )

    monkeypatch.setattr(sharing, "_has_access_list", has_one)
    (base / "backups").chmod(0o700)
    assert "tables/t/current.csv" in read_by_a_backup(base)
    assert stat.S_IMODE(newest(base).stat().st_mode) == 0o600


def test_files_are_told_by_all_that_a_change_changes(base: Path) -> None:
    status = (base / "tables" / "text" / "current.csv").stat()
    likes = [
        stat_like(status, **{name: getattr(status, name) + 1})
        for name in (
            "st_mode",
            "st_ino",
            "st_uid",
            "st_gid",
            "st_size",
            "st_mtime_ns",
            "st_ctime_ns",
        )
    ]
    keys = {_key("tables", "a", like, status.st_dev) for like in [status, *likes]}
    keys |= {_key(*name, status, status.st_dev) for name in (("t", "a"), ("tables", "b"))}
    assert len(keys - {None}) == 10


def _key(folder: str, name: str, status: os.stat_result, device: int) -> bytes | None:
    return Run(folder, [name], [status]).key(device)
