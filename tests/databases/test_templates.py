"""Templates: built once, whole or not at all, never changed."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_reedbackup.databases import templates as module
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import AWKWARD, EMPTY, SMALL, DatabaseSpec, Spec
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.views.tree import Tree


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The descriptions that were really built."""
    calls: list[object] = []
    real = build

    def counted(spec: Spec, base: Path) -> None:
        calls.append(spec)
        real(spec, base)

    monkeypatch.setattr(module, "build", counted)
    return calls


def test_a_template_is_built_once_for_all_who_share_the_folder(
    tmp_path: Path, built: list[object]
) -> None:
    first = Templates(tmp_path / "cache").get(SMALL)
    assert Templates(tmp_path / "cache").get(SMALL) == first
    assert Templates(tmp_path / "cache").get(EMPTY) != first
    assert built == [SMALL, EMPTY]


def test_a_clone_is_the_template_and_changing_it_changes_nothing_else(tmp_path: Path) -> None:
    templates = Templates(tmp_path / "cache")
    one = templates.clone(SMALL, tmp_path / "deep/er/one")
    expected = Tree.read(templates.get(SMALL))
    assert expected.differences(Tree.read(one), mtime=True) == []
    (one / "tables/text/current.csv").write_text("changed in place")
    assert expected.differences(Tree.read(templates.get(SMALL)), mtime=True) == []
    assert expected.differences(Tree.read(templates.clone(SMALL, tmp_path / "two"))) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda base: (base / "tables/text/current.csv").write_text("key|language|value\n"),
        lambda base: (base / "tables/text/.lock").unlink(),
        lambda base: (base / "tables/new").mkdir(),
        lambda base: (base / "registry/users.dict").chmod(0o600),
        lambda base: (base / "tables/text").chmod(0o700),
        lambda base: (base / "tables/text/attachments").rename(base / "tables/elsewhere"),
    ],
    ids=["content", "file removed", "folder added", "mode", "folder mode", "folder moved"],
)
def test_a_template_that_was_changed_is_built_again(
    spoil: Callable[[Path], object], tmp_path: Path, built: list[object]
) -> None:
    template = Templates(tmp_path).get(SMALL)
    expected = Tree.read(template)
    spoil(template)
    assert expected.differences(Tree.read(Templates(tmp_path).get(SMALL)), mtime=True) == []
    assert built == [SMALL, SMALL]


def test_a_change_that_hides_behind_the_old_size_and_mtime_is_noticed(
    tmp_path: Path, built: list[object]
) -> None:
    template = Templates(tmp_path).get(SMALL)
    file = template / "tables/text/current.csv"
    before = file.stat()
    file.write_bytes(file.read_bytes().swapcase())
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    Templates(tmp_path).get(SMALL)
    assert len(built) == 2


def test_a_build_that_fails_leaves_no_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(spec: Spec, base: Path) -> None:
        (base / "tables").mkdir(parents=True)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(module, "build", failing)
        with pytest.raises(OSError, match="No space left"):
            Templates(tmp_path).get(SMALL)
    assert (Templates(tmp_path).get(SMALL) / "tables/text/current.csv").exists()


def test_a_template_without_its_seal_is_built_again(tmp_path: Path, built: list[object]) -> None:
    """As a process leaves it that died between the rename and the seal."""
    template = Templates(tmp_path).get(SMALL)
    template.with_name(f"{template.name}.seal").unlink()
    Templates(tmp_path).get(SMALL)
    assert len(built) == 2


def test_cached_templates_survive_a_move_of_their_folder(
    tmp_path: Path, built: list[object]
) -> None:
    Templates(tmp_path / "here").get(SMALL)
    (tmp_path / "here").rename(tmp_path / "there")
    Templates(tmp_path / "there").get(SMALL)
    assert built == [SMALL]


def test_clear_removes_every_template_and_the_next_use_builds_anew(
    tmp_path: Path, built: list[object]
) -> None:
    templates = Templates(tmp_path / "cache")
    templates.get(AWKWARD)
    templates.get(SMALL)
    (tmp_path / "cache/mine.txt").write_text("not a template")
    templates.clear()
    left = {path.suffix for path in (tmp_path / "cache").iterdir()}
    assert left == {".lock", ".txt"}
    assert templates.clone(SMALL, tmp_path / "clone").is_dir()
    assert built == [AWKWARD, SMALL, SMALL]


def test_clearing_what_was_never_used_makes_nothing(tmp_path: Path) -> None:
    Templates(tmp_path / "cache").clear()
    assert not (tmp_path / "cache").exists()


def test_a_clone_for_the_length_of_a_with_is_gone_afterwards(tmp_path: Path) -> None:
    templates = Templates(tmp_path / "cache")
    (tmp_path / "work").mkdir()
    with templates.cloned(AWKWARD, tmp_path / "work") as base:
        assert (base / "tables").is_dir()
        (base.parent / "beside").write_text("goes with it")
    assert list((tmp_path / "work").iterdir()) == []


def test_a_clone_for_the_length_of_a_with_is_gone_after_an_error_too(tmp_path: Path) -> None:
    templates = Templates(tmp_path / "cache")
    (tmp_path / "work").mkdir()
    with (
        pytest.raises(RuntimeError, match="the test's own"),
        templates.cloned(SMALL, tmp_path / "work"),
    ):
        raise RuntimeError("the test's own")
    assert list((tmp_path / "work").iterdir()) == []


WORKER = """
import sys, time
from pathlib import Path
from pytest_reedbackup.databases import templates as module
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import Spec, DatabaseSpec
cache, number = Path(sys.argv[1]), sys.argv[2]
real = build
def slow(spec, base):
    (cache / f"built by {number}").touch()
    real(spec, base)
    time.sleep(0.3)
module.build = slow
print("ready", flush=True)
sys.stdin.readline()
module.Templates(cache / "shared").clone(DatabaseSpec(tables=5, indices=2), cache / number)
"""


def test_processes_that_ask_at_once_build_one_template(tmp_path: Path) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(tmp_path), str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(4)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    for worker in workers:
        worker.communicate(timeout=60)
        assert worker.returncode == 0
    assert len(list(tmp_path.glob("built by *"))) == 1
    trees = [Tree.read(tmp_path / str(number)) for number in range(4)]
    expected = Tree.read(Templates(tmp_path / "shared").get(DatabaseSpec(tables=5, indices=2)))
    assert [expected.differences(tree, mtime=True) for tree in trees] == [[]] * 4


HOLDER = """
import sys
from pathlib import Path
from pytest_reedbackup.databases import templates as module
from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.spec import Spec, SMALL
def stuck(spec, base):
    (base / "tables").mkdir(parents=True)
    print("building", flush=True)
    sys.stdin.readline()
module.build = stuck
module.Templates(Path(sys.argv[1])).get(SMALL)
"""


def test_a_builder_that_is_killed_neither_blocks_nor_fools_the_next(tmp_path: Path) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "building\n"
    with (tmp_path / f"{SMALL.key()}.lock").open("ab") as lock, pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    holder.kill()
    holder.communicate()
    started = time.monotonic()
    assert (Templates(tmp_path).get(SMALL) / "tables/text/current.csv").exists()
    assert time.monotonic() - started < 20
    assert not Path(tmp_path, f"{SMALL.key()}.unfinished").exists()
