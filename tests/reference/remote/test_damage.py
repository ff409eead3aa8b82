"""What does not arrive as it was sent is seen at either end, and takes nobody's name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from fixture_types import BackupAt, TakeSnapshot
from reference.cli.fixture_types import RunCommand
from reference.remote.fixture_types import Far, MakeFar

from reedbase_backup import BackupCorrupted, BackupUnsafe, IoError
from reedbase_backup.picks import by_id
from reedbase_backup.remote import copy_backups, list_remote, restore_from
from reedbase_backup.remote.errors import OtherArchive
from reedbase_backup.remote.folders import Folder


def flipped(content: bytes) -> bytes:
    return content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]


def lie(monkeypatch: pytest.MonkeyPatch, far: Far) -> None:
    """Have the far end keep other bytes than it is sent, as long as it is an archive."""
    store: Any = far.store
    if isinstance(store, Folder):
        files = type(store._files)
        write = files.write

        def writing(self: Any, name: str, offset: int, chunks: Iterable[bytes], size: int) -> None:
            write(self, name, offset, (flipped(chunk) for chunk in chunks), size)

        monkeypatch.setattr(files, "write", writing)
        return
    put_new = type(store)._put_new

    def putting(self: Any, name: str, path: str) -> bool:
        wrong = Path(f"{path}.wrong")
        wrong.write_bytes(flipped(Path(path).read_bytes()))
        return bool(put_new(self, name, str(wrong)))

    monkeypatch.setattr(type(store), "_put_new", putting)


def test_a_far_end_that_keeps_other_bytes_is_found_out_and_has_no_archive(
    base: Path, backup_at: BackupAt, far: Far, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup_at(base, 1000)
    with monkeypatch.context() as patched:
        lie(patched, far)
        report = copy_backups(base, far.url, keep=1)
    (copied,) = report.backups
    assert (copied.state, type(copied.error).__name__) == ("failed", "TransferDamaged")
    assert list_remote(far.url) == []
    assert not copy_backups(base, far.url).has_failed
    assert far.names() == ["1000.tar.gz", "1000.tar.gz.sha256"]


@pytest.mark.parametrize("has_checksum", [True, False])
def test_an_archive_that_went_bad_at_the_far_end_is_not_restored(
    base: Path,
    tmp_path: Path,
    backup_at: BackupAt,
    light_far: Far,
    snapshot: TakeSnapshot,
    run: RunCommand,
    has_checksum: bool,
) -> None:
    far = light_far
    backup_at(base, 1000)
    copy_backups(base, far.url)
    (base / "backups" / "1000.tar.gz").unlink()
    far.store.put("1000.tar.gz", flipped(far.read("1000.tar.gz")))
    if not has_checksum:
        far.store.remove("1000.tar.gz.sha256")
    before = snapshot(base)
    for place in (base, tmp_path / "anew"):
        with pytest.raises(BackupCorrupted):
            restore_from(far.url, place, by_id("1000"))
    if has_checksum:
        # To be continued, should the way there be at fault.
        partials = list((base / "backups").iterdir())
        assert [path.name.startswith(".reedbackup-partial-") for path in partials] == [True]
        partials[0].unlink()
        os.utime(base / "backups", ns=(before["backups"][2],) * 2)
    assert {**snapshot(base), "backups": None} == {**before, "backups": None}
    assert not (tmp_path / "anew" / "tables").exists()
    status, _, err = run("restore", tmp_path / "anew", "--from", far.url, "--to", "latest")
    assert status == 1
    assert "hint: take another one: reedbackup list --from" in err


def test_a_hostile_archive_at_the_far_end_is_not_restored(
    tmp_path: Path, make_far: MakeFar
) -> None:
    import tarfile

    far = make_far("file")
    Path(far.url).mkdir()
    with tarfile.open(Path(far.url) / "1000.tar.gz", "w:gz") as archive:
        for name, kind in (("tables", tarfile.DIRTYPE), ("tables/../../x", tarfile.REGTYPE)):
            member = tarfile.TarInfo(name)
            member.type = kind
            archive.addfile(member)
    with pytest.raises(BackupUnsafe):
        restore_from(far.url, tmp_path / "anew", by_id("1000"))
    assert not (tmp_path / "anew").exists()


def test_an_archive_that_is_damaged_here_is_not_sent_and_the_others_are(
    base: Path, backup_at: BackupAt, light_far: Far, run: RunCommand
) -> None:
    far = light_far
    backup_at(base, 1000)
    backup_at(base, 2000)
    path = base / "backups" / "2000.tar.gz"
    path.write_bytes(flipped(path.read_bytes()))
    status, out, err = run("copy", base, far.url, "--keep", "1")
    assert (status, err) == (1, "")
    assert out.startswith("FAILED 2000: ")
    assert "Nothing was dropped there" in out
    assert far.names() == []
    assert run("copy", base, far.url)[0] == 1
    assert far.names() == ["1000.tar.gz", "1000.tar.gz.sha256"]


@pytest.mark.parametrize("checksum", [None, b"", b"torn"])
def test_an_archive_without_a_checksum_is_read_back_and_gets_one(
    base: Path, backup_at: BackupAt, light_far: Far, checksum: bytes | None
) -> None:
    far = light_far
    backup_at(base, 1000)
    copy_backups(base, far.url)
    right = far.read("1000.tar.gz.sha256")
    far.store.remove("1000.tar.gz.sha256")
    if checksum is not None:
        far.store.put("1000.tar.gz.sha256", checksum)
    assert [one.sha256 for one in list_remote(far.url)] == [None]
    assert [one.state for one in copy_backups(base, far.url).backups] == ["there"]
    assert far.read("1000.tar.gz.sha256") == right


@pytest.mark.parametrize("has_checksum", [True, False])
@pytest.mark.parametrize("is_of_the_same_size", [True, False])
def test_another_archive_of_the_id_is_not_overwritten_and_the_others_are_copied(
    base: Path,
    backup_at: BackupAt,
    light_far: Far,
    is_of_the_same_size: bool,
    has_checksum: bool,
) -> None:
    far = light_far
    backup_at(base, 1000)
    copy_backups(base, far.url)
    archive = far.read("1000.tar.gz")
    other = flipped(archive) if is_of_the_same_size else archive + b"more"
    far.store.put("1000.tar.gz", other)
    checksum = b"0" * 64 + b"  1000.tar.gz\n"
    if has_checksum:
        far.store.put("1000.tar.gz.sha256", checksum)
    else:
        far.store.remove("1000.tar.gz.sha256")
    backup_at(base, 2000)
    report = copy_backups(base, far.url)
    assert [type(one.error).__name__ for one in report.backups] == ["NoneType", "OtherArchive"]
    assert far.read("1000.tar.gz") == other
    assert (far.read("1000.tar.gz.sha256") == checksum) if has_checksum else True


def test_an_archive_that_was_cut_short_beside_its_checksum_is_another_one(
    base: Path, backup_at: BackupAt, light_far: Far
) -> None:
    far = light_far
    backup_at(base, 1000)
    copy_backups(base, far.url)
    far.store.put("1000.tar.gz", far.read("1000.tar.gz")[:-1])
    (copied,) = copy_backups(base, far.url).backups
    assert type(copied.error).__name__ == "OtherArchive"


def test_a_fetch_does_not_replace_another_archive_here(
    base: Path, backup_at: BackupAt, light_far: Far, snapshot: TakeSnapshot
) -> None:
    far = light_far
    backup_at(base, 1000)
    copy_backups(base, far.url)
    path = base / "backups" / "1000.tar.gz"
    path.write_bytes(flipped(path.read_bytes()))
    before = snapshot(base)
    with pytest.raises(OtherArchive, match="is another archive than the one at"):
        restore_from(far.url, base, by_id("1000"))
    assert snapshot(base) == before


def test_what_is_no_database_is_not_made_one(
    base: Path,
    tmp_path: Path,
    backup_at: BackupAt,
    light_far: Far,
    snapshot: TakeSnapshot,
    run: RunCommand,
) -> None:
    far = light_far
    backup_at(base, 1000)
    copy_backups(base, far.url)
    (tmp_path / "letters").mkdir()
    (tmp_path / "letters" / "to mother.txt").touch()
    (tmp_path / "file").touch()
    before = snapshot(tmp_path)
    for name, words in (("letters", "no database, and not empty"), ("file", "is not a folder")):
        with pytest.raises(IoError, match=words):
            restore_from(far.url, tmp_path / name, by_id("1000"))
    status, _, err = run("restore", tmp_path / "letters", "--from", far.url, "--to", "latest")
    assert status == 1
    assert "hint: give a folder that is not there yet, or is empty\n" in err
    assert snapshot(tmp_path) == before
