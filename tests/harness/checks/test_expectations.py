"""How a case says that a promise was broken: what, expected, found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ParamSpec

import pytest

from pytest_reedbackup.checks.expectations import (
    expect,
    expect_named,
    expect_same_tree,
    expect_that,
)
from pytest_reedbackup.implementations.answers import Answered, Refused, refusal_of, value_of
from pytest_reedbackup.model.failures import (
    BrokenPromise,
    Cause,
    MissingCapability,
    UndecidedBound,
    UnfitValue,
)
from pytest_reedbackup.views.tree import Tree

REFUSED = Refused("BackupCorrupted", {"archive": "5.tar.gz"}, "the CRC is wrong", 1)
ANSWERED = Answered([1, 2], 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tables" / "text").mkdir(parents=True)
    (tmp_path / "tables" / "text" / "current.csv").write_text("key|value\n")
    return tmp_path


P = ParamSpec("P")


def broken(
    check: Callable[P, object], *arguments: P.args, **more: P.kwargs
) -> tuple[str, str, str]:
    with pytest.raises(BrokenPromise) as caught:
        check(*arguments, **more)
    return caught.value.what, caught.value.expected, caught.value.found


def test_what_is_kept_says_nothing(folder: Path) -> None:
    expect("size_bytes", 5, 5)
    expect_that(True, "size_bytes", expected="at least 1", found=5)
    expect_named(REFUSED, "5.tar.gz", "the error")
    expect_named(REFUSED, "CRC", "the error")
    expect_same_tree("the tree", Tree.read(folder), Tree.read(folder), mtime=True)
    assert value_of(ANSWERED, "list_backups") == [1, 2]
    assert refusal_of(REFUSED, "restore") is REFUSED
    assert refusal_of(REFUSED, "restore", ("IoError", "BackupCorrupted")) is REFUSED


def test_a_broken_promise_says_what_was_expected_and_found() -> None:
    assert broken(expect, "size_bytes", 4, 5) == ("size_bytes", "5", "4")
    found = broken(expect_that, False, "size_bytes", expected="at least 1", found=0)
    assert found == ("size_bytes", "at least 1", "0")
    with pytest.raises(AssertionError, match="size_bytes: expected 5, found 4"):
        expect("size_bytes", 4, 5)


@pytest.mark.parametrize(("found", "expected"), [("5", 5), (None, 0), ([], ())])
def test_what_only_looks_alike_is_shown_as_it_is(found: object, expected: int | tuple[()]) -> None:
    assert broken(expect, "it", found, expected) == ("it", repr(expected), repr(found))


def test_a_long_value_is_cut_and_its_length_shown() -> None:
    _, _, found = broken(expect, "the ids", "x" * 5000, "")
    assert found.endswith("… (5002 characters)")
    assert len(found) < 700


def test_an_error_where_a_value_was_promised_is_broken() -> None:
    assert broken(value_of, REFUSED, "restore") == (
        "restore",
        "a value",
        "error BackupCorrupted: the CRC is wrong",
    )


def test_a_value_where_an_error_was_promised_is_broken() -> None:
    assert broken(refusal_of, ANSWERED, "restore") == ("restore", "an error", "success: [1, 2]")
    assert broken(refusal_of, ANSWERED, "restore", ("IoError", "BackupUnsafe"))[1] == (
        "error IoError or BackupUnsafe"
    )


def test_another_kind_of_error_is_broken() -> None:
    assert broken(refusal_of, REFUSED, "restore", ("IoError",)) == (
        "restore",
        "error IoError",
        "error BackupCorrupted: the CRC is wrong",
    )


def test_an_error_that_does_not_name_the_thing_is_broken() -> None:
    what, expected, found = broken(expect_named, REFUSED, "6.tar.gz", "the error")
    assert (what, expected) == ("the error", "an error that names '6.tar.gz'")
    assert "'archive': '5.tar.gz'" in found


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda f: (f / "tables/text/current.csv").write_text("key|valuE\n"), "current.csv"),
        (lambda f: (f / "tables/text/current.csv").chmod(0o400), "current.csv"),
        (lambda f: (f / "tables/text/current.csv").unlink(), "current.csv"),
        (lambda f: (f / "tables/text/new").mkdir(), "new"),
    ],
)
def test_every_difference_of_two_trees_is_named(
    folder: Path, change: Callable[[Path], object], words: str
) -> None:
    before = Tree.read(folder)
    change(folder)
    what, expected, found = broken(expect_same_tree, "the tree", Tree.read(folder), before)
    assert what == "the tree"
    assert expected.endswith("folders and files, unchanged")
    assert words in found


def test_only_a_broken_promise_is_the_implementations_fault() -> None:
    for other in (MissingCapability("clock", "there is none"), UndecidedBound("too noisy")):
        assert not isinstance(other, AssertionError)
    missing = MissingCapability("strace", "it is not installed", tool=True)
    assert (str(missing), missing.capability, missing.tool) == (
        "needs strace: it is not installed",
        "strace",
        True,
    )


TAR_FAILED = Refused("CommandFailed", {"command": "tar"}, "whatever it says", 1)
CP_FAILED = Refused("CommandFailed", {"command": "cp"}, "Command 'tar' failed", 1)


@pytest.mark.parametrize(
    ("check", "cause"),
    [
        (lambda: expect("size_bytes", 4, 5), Cause.VALUE),
        (lambda: expect_that(False, "size_bytes", expected="5", found=4), Cause.VALUE),
        (lambda: expect_named(REFUSED, "users", "the error"), Cause.OTHER_ERROR),
        (lambda: expect_named(TAR_FAILED, "users", "the error"), Cause.TAR_FAILURE),
        (lambda: value_of(REFUSED, "restore"), Cause.ERROR),
        (lambda: value_of(TAR_FAILED, "create_backup"), Cause.TAR_FAILURE),
        (lambda: value_of(CP_FAILED, "create_backup"), Cause.ERROR),
        (lambda: refusal_of(ANSWERED, "restore"), Cause.NO_ERROR),
        (lambda: refusal_of(REFUSED, "restore", ("IoError",)), Cause.OTHER_ERROR),
        (lambda: refusal_of(TAR_FAILED, "restore", ("IoError",)), Cause.TAR_FAILURE),
    ],
)
def test_a_broken_promise_has_a_cause_for_programs(
    check: Callable[[], object], cause: Cause
) -> None:
    with pytest.raises(BrokenPromise) as caught:
        check()
    assert caught.value.cause is cause


def test_another_tree_and_an_unfit_value_are_causes_too(folder: Path) -> None:
    before = Tree.read(folder)
    (folder / "tables" / "text" / "more").touch()
    with pytest.raises(BrokenPromise) as caught:
        expect_same_tree("the tree", Tree.read(folder), before)
    assert caught.value.cause is Cause.TREE
    assert UnfitValue("it", expected="text", found="a number").cause is Cause.SHAPE
