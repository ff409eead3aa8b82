"""Declared divergences are strict: nothing in the file is passed over, and nothing is vague."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from harness.session.outcomes import case_outcome

from pytest_reedbackup.model.divergences import (
    Declared,
    Divergence,
    UnusableDivergences,
    parse,
    read_file,
    read_pyproject,
    shipped,
)
from pytest_reedbackup.model.outcome import CaseOutcome, Outcome
from pytest_reedbackup.reports.divergences_file import DivergencesFile

pytest_plugins = ["pytester"]

pytestmark = pytest.mark.slow

CASES = ["ticket/list/order", "ticket/list/order/ties", "ticket/list/empty/no-base"]
ORDER = "--reedbackup-case=ticket/list/order*"


def entry(
    implementation: str = "./adapter",
    case: str = "ticket/list/order",
    reason: str = "too slow",
    id: str = "D4",  # noqa: A002
) -> dict[str, str]:
    return {"implementation": implementation, "case": case, "reason": reason, "id": id}


def declared(*entries: dict[str, str], others: list[str] | None = None) -> Declared:
    return parse({"divergence": list(entries), "implementations": others or []}, "known.toml")


def in_toml(*entries: dict[str, str], top: str = "") -> str:
    lines = [top]
    for each in entries:
        lines += ["[[divergence]]", *(f'{name} = "{value}"' for name, value in each.items())]
    return "\n".join([*lines, ""])


@pytest.mark.parametrize(
    "reason",
    ["", " ", "TODO", "todo: found 3", "TODO found 3", "FIXME", "TBD", "XXX", "...", "…", "?", "-",
     "n/a", "none", "reason", "<reason>", "<why it diverges>", "1.", "fill in", "WIP: later"],
)  # fmt: skip
def test_a_reason_that_is_none_is_refused(reason: str) -> None:
    with pytest.raises(UnusableDivergences, match=r"ticket/list/order has no reason yet"):
        declared(entry(reason=reason))


@pytest.mark.parametrize("given", ["", "TODO", "tbd", "?", "<id>"])
def test_an_id_that_is_none_is_refused(given: str) -> None:
    with pytest.raises(UnusableDivergences, match=r"ticket/list/order has no id yet"):
        declared(entry(id=given))


@pytest.mark.parametrize(
    ("reason", "given"),
    [
        ("overwrites the first", "D4"),
        ("its todo list is empty", "#17"),
        ("None of the locks is taken", "https://example.org/issues/1"),
        ("überschreibt", "17"),
    ],
)
def test_a_reason_is_any_other_text(reason: str, given: str) -> None:
    assert declared(entry(reason=reason, id=given)).entries[0].reason == reason


def write_starting_file(path: Path, *outcomes: CaseOutcome) -> None:
    writer = DivergencesFile(path)
    for outcome in outcomes:
        writer.case(outcome)
    writer.finish([], None)


def test_a_starting_file_is_refused_until_it_is_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "known.toml"
    failure = case_outcome(
        Outcome.FAIL, "list/order", implementation="./adapter", found='found "x"\nand y'
    )
    others = [case_outcome(outcome) for outcome in Outcome if outcome is not Outcome.FAIL]
    stale = case_outcome(Outcome.FAIL, "list/empty", divergence="D4: overwrites")
    write_starting_file(path, failure, stale, *others)
    with pytest.raises(UnusableDivergences, match="has no reason yet, but 'TODO: found found"):
        read_file(path)
    text = path.read_text("utf-8").replace("TODO: found found", "finds")
    path.write_text(text, "utf-8")
    with pytest.raises(UnusableDivergences, match="has no id yet, but 'TODO'"):
        read_file(path)
    path.write_text(text.replace('id = "TODO"', 'id = "#1"'), "utf-8")
    assert len(read_file(path).entries) == 1


def test_a_starting_file_carries_any_text_and_takes_further_entries(tmp_path: Path) -> None:
    odd = 'é "quoted" \\ \t \x01 \x7f #'
    path = tmp_path / "known.toml"
    own = case_outcome(Outcome.FAIL, "a/b", implementation=odd, found=odd, defect="D4")
    write_starting_file(path, own, case_outcome(Outcome.FAIL, "a/b", implementation="x"))
    text = path.read_text("utf-8")
    assert text.startswith("# Declared divergences. Put a reason of your own")
    assert tomllib.loads(text + in_toml(entry()))["divergence"] == [
        entry(odd, "ticket/a/b", f"TODO: found {odd}", "D4"),
        entry("x", "ticket/a/b", "TODO: found ", "TODO"),
        entry(),
    ]


def test_a_misspelt_implementation_is_refused_with_the_nearest_name() -> None:
    for misspelt in ("./adaptre", "./Adapter", "adapter", "./adapter "):
        with pytest.raises(UnusableDivergences, match=r"the nearest name is './adapter'"):
            declared(entry(misspelt), entry()).check_implementations(
                {"./adapter", "python"}, asked_for=False
            )


def test_a_file_may_hold_what_other_runs_meet() -> None:
    file = declared(entry(), entry("./rust/target/release/backup"))
    file.check_implementations({"./adapter"}, asked_for=True)
    assert file.not_in_run({"./adapter"}) == ["./rust/target/release/backup"]


def test_a_name_like_one_of_this_run_may_be_listed_as_another() -> None:
    names = ["./adapter", "./adapter-2"]
    two = [entry(name) for name in names]
    with pytest.raises(UnusableDivergences, match="put it into the list `implementations`"):
        declared(*two).check_implementations({"./adapter"}, asked_for=True)
    declared(*two, others=names).check_implementations({"./adapter"}, asked_for=True)


def test_where_the_others_are_listed_every_name_is_one_of_them() -> None:
    file = declared(entry(), entry("./something-else"), others=["./rust-adapter"])
    with pytest.raises(UnusableDivergences, match=r"'\./something-else'"):
        file.check_implementations({"./adapter"}, asked_for=False)


def test_a_file_that_was_asked_for_and_is_for_nobody_is_refused() -> None:
    file = declared(entry("./something-else"))
    with pytest.raises(UnusableDivergences, match="the nearest name is 'python'"):
        file.check_implementations({"python"}, asked_for=True)
    # What is in pyproject.toml was not asked for.
    file.check_implementations({"python"}, asked_for=False)
    declared().check_implementations({"python"}, asked_for=True)


@pytest.mark.parametrize("case", ["ticket/list/ordr", "ticket/lsit/*", "list/order", "last/*"])
def test_an_entry_without_a_case_is_refused_with_the_nearest(case: str) -> None:
    file = declared(entry("./of-another-run", case))
    with pytest.raises(UnusableDivergences, match=r"there is no case .*nearest .*ticket/list/"):
        file.check_cases(CASES, [{"./adapter"}])


def test_a_pattern_is_for_each_case_that_it_matches() -> None:
    file = declared(entry(case="ticket/list/order*"))
    file.check_cases(CASES, [{"./adapter"}])
    for case_id in CASES[:2]:
        assert file.of({"./adapter", "its name"}, case_id) == file.entries[0]
    assert file.of({"./adapter"}, CASES[2]) is None
    assert file.of({"python"}, CASES[0]) is None


@pytest.mark.parametrize(
    "other",
    [
        entry(case="ticket/list/o*"),
        entry(case="ticket/list/order/ties"),
        entry("its name", "*/ties"),
    ],
)
def test_two_entries_for_one_case_are_refused(other: dict[str, str]) -> None:
    file = declared(entry(case="ticket/list/order*"), other)
    with pytest.raises(UnusableDivergences, match=r"is declared twice, by .* and "):
        file.check_cases(CASES, [{"./adapter", "its name"}])


def test_the_same_entry_twice_is_refused_before_anything_is_known() -> None:
    with pytest.raises(UnusableDivergences, match=r"ticket/list/order is declared twice"):
        declared(entry(), entry(reason="again"))


def test_what_the_user_declares_is_on_top_of_what_the_package_does() -> None:
    mine = declared(entry("python-last", "last/create/own-*", id="#1"))
    both = shipped({"python-last"}).under(mine)
    own = both.of({"python-last"}, "last/create/own-backups")
    assert own is not None
    assert own.id == "#1"
    both.check_cases({each.case for each in shipped({"python-last"}).entries}, [{"python-last"}])
    assert both.of({"python-last"}, "last/log/no-final-newline") in both.entries


@pytest.mark.parametrize("key", ["casse = 1", "[[divergences]]\nid = 'D1'", "strict = true"])
def test_an_unknown_key_is_refused(tmp_path: Path, key: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_text(f"[tool.reedbackup]\n{key.replace('[[', '[[tool.reedbackup.')}\n")
    with pytest.raises(UnusableDivergences, match="unknown field"):
        read_pyproject(path)


def test_an_entry_is_what_it_was_before() -> None:
    assert declared(entry()).entries == [
        Divergence("./adapter", "ticket/list/order", "too slow", "D4")
    ]


# Runs.


def errors_of(ended: pytest.RunResult) -> list[str]:
    assert "INTERNALERROR" not in "\n".join(ended.outlines + ended.errlines)
    return [line for line in ended.errlines if line.startswith("ERROR: ")]


REVERSED = "--reedbackup-impl=mine:Reversed"
KNOWN = "--reedbackup-divergences=known.toml"


def test_the_members_of_a_pattern_are_strict(pytester: pytest.Pytester, mine: None) -> None:
    """An empty list is the same in any order."""
    pytester.path.joinpath("known.toml").write_text(
        in_toml(entry("mine:Reversed", "ticket/list/[eo]*"))
    )
    empty = "--reedbackup-case=ticket/list/empty/*"
    ended = pytester.runpytest_inprocess(REVERSED, KNOWN, ORDER, empty)
    shown = "\n".join(ended.outlines)
    assert ended.ret == pytest.ExitCode.TESTS_FAILED
    assert "does not conform" in shown
    assert "a declared divergence; remove it from the file if it is mended" in shown


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "xdist"])
@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (entry("mine:Reversd"), "the nearest name is 'mine:Reversed'"),
        (entry("mine:Reversed", "ticket/list/ordr"), "there is no case ticket/list/ordr"),
        (entry("mine:Reversed", reason="TODO"), "has no reason yet"),
    ],
    ids=["implementation", "case", "reason"],
)
def test_a_file_that_cannot_be_applied_is_one_usage_error(
    pytester: pytest.Pytester, mine: None, wrong: dict[str, str], words: str, workers: list[str]
) -> None:
    pytester.path.joinpath("known.toml").write_text(in_toml(wrong))
    ended = pytester.runpytest_subprocess(REVERSED, KNOWN, ORDER, *workers)
    assert ended.ret == pytest.ExitCode.USAGE_ERROR
    (error,) = errors_of(ended)
    assert error.startswith("ERROR: --reedbackup-divergences: ")
    assert words in error


def test_pyproject_is_read_beside_another_configuration_file(
    pytester: pytest.Pytester, mine: None
) -> None:
    pytester.makeini("[pytest]\n")
    text = in_toml(entry("mine:Reversed", "ticket/list/order/ties"))
    pytester.makepyprojecttoml(text.replace("[[", "[[tool.reedbackup."))
    ended = pytester.runpytest_inprocess(REVERSED, "--reedbackup-case=ticket/list/order/ties")
    assert "D4: too slow" in "\n".join(ended.outlines)


def test_entries_for_others_are_named_in_the_header(pytester: pytest.Pytester, mine: None) -> None:
    pytester.path.joinpath("known.toml").write_text(
        in_toml(entry("mine:Reversed", "ticket/list/order/ties"), entry("./rust-adapter"))
    )
    ended = pytester.runpytest_inprocess(REVERSED, KNOWN, "--reedbackup-case=*/order/ties")
    ended.stdout.fnmatch_lines(
        ["reedbackup: *known.toml declares divergences of ./rust-adapter too, not met in this run"]
    )
