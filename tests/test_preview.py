"""A dry run tells exactly what the restore then does."""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path

import pytest

from reedbase_backup import (
    BackupCorrupted,
    BackupNotFound,
    BackupUnsafe,
    create_backup,
    restore_point_in_time,
)
from reedbase_backup.preview import preview

FOREVER = 2**64 - 1


def kinds(tree):
    """What a preview is about: content, mode and kind, and no times."""
    return {name: (entry[0], entry[1], *entry[3:]) for name, entry in tree.items()}


def test_what_is_foretold_is_what_the_restore_does(base, database):
    create_backup(base)
    text = base / "tables" / "text"
    (text / "current.csv").write_text("other")
    (text / "version.log").chmod(0o600)
    (text / "empty").chmod(0o700)
    (text / "empty.csv").unlink()
    (text / "empty.csv").mkdir()
    shutil.rmtree(base / "tables" / "routes")
    (base / "tables" / "new" / "deep").mkdir(parents=True)
    (base / "indices" / "link").symlink_to("nowhere")
    os.utime(base / "indices" / "metadata.json", (1, 1))
    before = kinds(database(base))

    found = preview(base, FOREVER)
    restore_point_in_time(base, FOREVER)
    after = kinds(database(base))

    assert found.added == sorted(after.keys() - before.keys())
    assert found.removed == sorted(before.keys() - after.keys())
    differing = {name for name in before.keys() & after.keys() if before[name] != after[name]}
    assert {*found.changed, *found.mode_changed} == differing
    assert found.changed == ["tables/text/current.csv", "tables/text/empty.csv"]
    assert found.mode_changed == ["tables/text/empty", "tables/text/version.log"]
    assert preview(base, FOREVER).is_empty


@pytest.mark.parametrize("root", ["tables", "indices"])
def test_a_root_that_is_a_symlink_or_missing_is_foretold(base, tmp_path, root):
    create_backup(base)
    (base / root).rename(tmp_path / "elsewhere")
    assert root in preview(base, FOREVER).added
    (base / root).symlink_to(tmp_path / "elsewhere")
    assert preview(base, FOREVER).changed == [root]


def test_a_symlink_to_a_folder_is_foretold_to_go_and_never_followed(base):
    create_backup(base)
    (base / "indices" / "link").symlink_to(base / "registry", target_is_directory=True)
    assert preview(base, FOREVER).removed == ["indices/link"]


def test_folders_that_only_paths_imply_are_not_foretold_to_go(base):
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "1000.tar.gz", "w:gz") as archive:
        archive.add(base / "tables" / "text" / "current.csv", "tables/text/current.csv")
    found = preview(base, 1000)
    assert "tables" not in found.removed
    assert "tables/text" not in found.removed
    assert "tables/routes" in found.removed


def test_a_hard_link_is_compared_by_the_content_that_it_repeats(base):
    text = base / "tables" / "text"
    (text / "linked").hardlink_to(text / "current.csv")
    (base / "backups").mkdir()
    with tarfile.open(base / "backups" / "1000.tar.gz", "w:gz") as archive:
        for root in ("tables", "indices"):
            archive.add(base / root, root)
    assert preview(base, 1000).is_empty
    (text / "linked").unlink()
    (text / "linked").write_bytes(b"x" * (text / "current.csv").stat().st_size)
    (text / "linked").chmod(0o600)
    assert preview(base, 1000).changed == ["tables/text/linked"]


def test_a_preview_fails_as_the_restore_would(base, backup_at):
    with pytest.raises(BackupNotFound):
        preview(base, 5)
    backup_at(base, 1000)
    (base / "backups" / "2000.tar.gz").write_bytes(b"damaged")
    with pytest.raises(BackupCorrupted):
        preview(base, 2000)
    with tarfile.open(base / "backups" / "3000.tar.gz", "w:gz") as archive:
        archive.add(base / "registry", "registry")
    with pytest.raises(BackupUnsafe):
        preview(base, 3000)


def test_a_preview_is_read_only(base, snapshot):
    create_backup(base)
    Path(base / "tables" / "new").mkdir()
    before, names = snapshot(base), os.listdir(base)
    preview(base, FOREVER)
    assert (snapshot(base), os.listdir(base)) == (before, names)
