"""The spare clone: lent again and again, and never with what somebody did to it."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.databases.spare import Spare
from pytest_reedbackup.databases.spec import SMALL
from pytest_reedbackup.databases.templates import SPARE, Templates, seal_of
from pytest_reedbackup.views.tree import Tree


@pytest.fixture
def templates(tmp_path: Path) -> Templates:
    return Templates(tmp_path / "cache")


@pytest.fixture
def spare(templates: Templates) -> Spare:
    return Spare(templates, SMALL)


def inode(base: Path) -> int:
    """Tell one clone from another."""
    return (base / "tables/text/current.csv").stat().st_ino


def is_as_built(base: Path, templates: Templates) -> bool:
    return Tree.read(templates.get(SMALL)).differences(Tree.read(base), mtime=True) == []


def test_who_leaves_it_as_it_was_has_the_next_one_get_it(
    spare: Spare, templates: Templates, tmp_path: Path
) -> None:
    with spare.lent(tmp_path / "one" / ".reed") as base:
        first = inode(base)
        (base / "backups").mkdir()
        (base / "backups/1.tar.gz").write_text("a backup")
        (base / ".staging").symlink_to("tables")
        base.chmod(0o700)
    assert not base.exists()
    with Spare(templates, SMALL).lent(tmp_path / "two" / ".reed") as base:
        assert inode(base) == first
        assert is_as_built(base, templates)
        assert sorted(os.listdir(base)) == sorted(os.listdir(templates.get(SMALL)))


def rewritten(base: Path) -> None:
    """Change content, and set size and mtime back."""
    file = base / "tables/text/current.csv"
    status = file.stat()
    file.write_bytes(b"x" * status.st_size)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def replaced(base: Path) -> None:
    """Put an equal file in the place of one."""
    file, copy = base / "tables/text/current.csv", base / "tables/text/copy"
    copy.write_bytes(file.read_bytes())
    os.utime(copy, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    copy.replace(file)


CHANGES: dict[str, Callable[[Path], object]] = {
    "rewritten": rewritten,
    "replaced": replaced,
    "removed": lambda base: (base / "tables/text/.lock").unlink(),
    "added": lambda base: (base / "tables/text/.new").touch(),
    "moved": lambda base: (base / "tables/text").rename(base / "tables/elsewhere"),
    "mode": lambda base: (base / "registry/users.dict").chmod(0o600),
    "folder mode": lambda base: (base / "tables").chmod(0o700),
    "folder time": lambda base: os.utime(base / "tables", (1, 1)),
    "a link elsewhere": lambda base: os.link(
        base / "tables/text/current.csv", base.parent / "second"
    ),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_who_changes_it_has_the_next_one_get_another(
    change: Callable[[Path], object], spare: Spare, templates: Templates, tmp_path: Path
) -> None:
    with spare.lent(tmp_path / "one" / ".reed") as base:
        first = inode(base)
        change(base)
    assert base.exists(), "what was changed is left to who removes databases"
    with spare.lent(tmp_path / "two" / ".reed") as base:
        assert inode(base) != first
        assert is_as_built(base, templates)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_one_that_is_changed_while_nobody_has_it_is_not_lent(
    change: Callable[[Path], object], spare: Spare, templates: Templates, tmp_path: Path
) -> None:
    spare.make()
    change(templates.folder / f"{SMALL.key()}{SPARE}")
    with spare.lent(tmp_path / "one" / ".reed") as base:
        assert is_as_built(base, templates)
    with spare.lent(tmp_path / "two" / ".reed") as base:
        assert is_as_built(base, templates)


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize("name", ["tables", "tables/text/current.csv"])
def test_one_that_was_given_to_another_user_is_not_kept(
    name: str, spare: Spare, tmp_path: Path
) -> None:
    with spare.lent(tmp_path / "one" / ".reed") as base:
        os.chown(base / name, 1000, -1)
    assert base.exists()


def test_two_at_a_time_have_one_each_and_one_is_kept(
    spare: Spare, templates: Templates, tmp_path: Path
) -> None:
    spare.make()
    with spare.lent(tmp_path / "one" / ".reed") as one, spare.lent(tmp_path / "2" / ".reed") as two:
        assert inode(one) != inode(two)
        assert is_as_built(one, templates)
        assert is_as_built(two, templates)
    assert one.exists() != two.exists()


def test_one_that_is_there_is_not_made_again(
    spare: Spare, templates: Templates, tmp_path: Path
) -> None:
    spare.make()
    made = inode(templates.folder / f"{SMALL.key()}{SPARE}")
    spare.make()
    with spare.lent(tmp_path / "one" / ".reed") as base:
        assert inode(base) == made


@pytest.mark.parametrize("lost", [lambda folder: folder, seal_of], ids=["folder", "seal"])
def test_what_a_killed_run_left_is_no_spare(
    lost: Callable[[Path], Path], spare: Spare, templates: Templates, tmp_path: Path
) -> None:
    spare.make()
    lost(templates.folder / f"{SMALL.key()}{SPARE}").rename(tmp_path / "lost")
    with spare.lent(tmp_path / "one" / ".reed") as base:
        assert is_as_built(base, templates)
        kept = inode(base)
    with spare.lent(tmp_path / "two" / ".reed") as base:
        assert inode(base) == kept


def test_on_another_file_system_each_is_cloned(
    spare: Spare, templates: Templates, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spare.make()

    def refused(source: Path, target: Path) -> None:
        raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))

    monkeypatch.setattr(Path, "rename", refused)
    for name in ("one", "two"):
        with spare.lent(tmp_path / name / ".reed") as base:
            assert is_as_built(base, templates)
        assert base.exists()


def test_one_that_is_gone_when_its_user_is_done_ends_no_run(spare: Spare, tmp_path: Path) -> None:
    with spare.lent(tmp_path / "one" / ".reed") as base:
        base.rename(tmp_path / "gone")


def test_a_template_that_is_cleared_takes_it_along(
    spare: Spare, templates: Templates, tmp_path: Path
) -> None:
    spare.make()
    templates.clear()
    assert [path.name for path in templates.folder.iterdir()] == [f"{SMALL.key()}.lock"]
