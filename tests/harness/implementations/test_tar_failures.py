"""Getting past tar's random failure in the baseline's create_backup (defect D1)."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from pytest_reedbackup.implementations.answers import Answer, Answered, Refused
from pytest_reedbackup.implementations.tar_failures import past_tar_failures

TAR_FAILED = Refused("CommandFailed", {"command": "tar", "error": "file changed"}, "tar", 1)
OTHERS = {
    "a-value": Answered(5, 1),
    "another-error": Refused("IoError", {"operation": "tar", "reason": "none"}, "none", 1),
    "another-command": Refused("CommandFailed", {"command": "cp", "error": ""}, "cp", 1),
}


def answers_with(answers: Iterable[Answer]) -> tuple[Answer, int, int]:
    """Return what comes out, how many calls it took, and how many were taken back."""
    calls: list[Answer] = []
    taken_back: list[Answer] = []
    remaining = iter(answers)

    def call() -> Answer:
        calls.append(next(remaining))
        return calls[-1]

    answer = past_tar_failures(call, lambda: taken_back.append(calls[-1]))
    assert taken_back == calls[:-1]
    return answer, len(calls), len(taken_back)


@pytest.mark.parametrize("answer", OTHERS.values(), ids=OTHERS.keys())
@pytest.mark.parametrize("failures", [0, 1, 39])
def test_the_first_other_answer_counts(answer: Answer, failures: int) -> None:
    outcome = answers_with([*[TAR_FAILED] * failures, answer, Answered(6, 1)])
    assert outcome == (answer, failures + 1, failures)


def test_the_40th_failure_in_a_row_is_no_chance_and_stays() -> None:
    """What it left stays, too, for who looks at it."""
    assert answers_with([TAR_FAILED] * 41) == (TAR_FAILED, 40, 39)
