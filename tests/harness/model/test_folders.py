"""How a folder that was found at a broken point differs from what it might have been."""

from __future__ import annotations

from pathlib import Path

import pytest

from pytest_reedbackup.databases.build import build
from pytest_reedbackup.databases.clone import clone_tree
from pytest_reedbackup.databases.spec import DatabaseSpec
from pytest_reedbackup.injection.sweeps.stages import BASE
from pytest_reedbackup.injection.sweeps.sweeper import Sweeper, Visit, judged
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.model.sweep import FolderDifference, PointResult, Sweep
from pytest_reedbackup.views.base import live_tree
from pytest_reedbackup.views.folders import before_call, difference_of, with_restored
from pytest_reedbackup.views.tree import Tree


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / BASE
    build(DatabaseSpec(tables=("text",), rows=3), base)
    (base / "registry" / "own").write_text("own")
    return base


def signs(difference: FolderDifference) -> list[str]:
    """The sign and path of each line."""
    return [line.partition(":")[0] for line in difference.lines]


def test_what_is_missing_too_much_or_other_is_told_with_the_live_trees_first(base: Path) -> None:
    before = before_call(base)
    (base / "added").mkdir()
    (base / "registry" / "own").unlink()
    (base / "tables" / "text" / "current.csv").write_text("other")
    difference = difference_of(Tree.read(base), [before])
    assert difference.against == "the database before the call"
    assert signs(difference) == [
        "- tables/text/current.csv",
        "+ tables/text/current.csv",
        "+ added",
        "- registry/own",
    ]
    assert "5 bytes" in difference.lines[1]


def test_times_are_no_difference_and_modes_are(base: Path) -> None:
    before = before_call(base)
    (base / "registry" / "own").touch()
    assert difference_of(Tree.read(base), [before]).lines == []
    (base / "registry" / "own").chmod(0o600)
    assert len(difference_of(Tree.read(base), [before]).lines) == 2


def test_a_folder_is_held_against_what_it_is_most_alike(base: Path, tmp_path: Path) -> None:
    before = before_call(base)
    clone_tree(base, tmp_path / "restored")
    current = tmp_path / "restored" / "tables" / "text" / "current.csv"
    current.write_text("older")
    restored = with_restored(before, live_tree(tmp_path / "restored"))
    assert difference_of(before.tree, [before, restored]).against == before.words
    found = difference_of(Tree.read(tmp_path / "restored"), [before, restored])
    assert (found.against, found.lines) == (restored.words, [])


def test_a_long_difference_says_how_much_longer_it_is(base: Path) -> None:
    before = before_call(base)
    for number in range(70):
        (base / f"{number}").mkdir()
    lines = difference_of(Tree.read(base), [before]).lines
    assert (len(lines), lines[-1]) == (61, "… and 10 more lines")


@pytest.mark.parametrize("around", [False, True], ids=["the base", "the folder around it"])
def test_a_sweep_tells_it_of_a_broken_point_alone(base: Path, tmp_path: Path, around: bool) -> None:
    found = tmp_path / "found" / (BASE if around else "")
    found.parent.mkdir(exist_ok=True)
    clone_tree(base, found)
    (found / "left over").mkdir()

    def judge(number: int) -> list[PointResult]:
        def check() -> None:
            if number:
                raise BrokenPromise("the base", expected="as before", found="something else")

        kept = tmp_path / ("never kept" if number == 2 else "found")
        return [judged(f"write#{number}", "", check, kept=str(kept))]

    swept: list[Sweep] = []
    sweeper = Sweeper(tmp_path / "kept", record=swept.append)
    visits = [Visit(f"write#{n}", "", lambda n=n: judge(n)) for n in range(3)]  # type: ignore[misc]
    with pytest.raises(BrokenPromise):
        sweeper.sweep(visits, [before_call(base)])
    stood, broken, lost = swept[0].results
    assert stood.folder is lost.folder is None
    assert broken.folder is not None
    assert signs(broken.folder) == ["+ left over"]
