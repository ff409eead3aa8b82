"""Calls that stand still: a process goes on afterwards, whatever strace had time to say of it."""

from __future__ import annotations

from functools import partial

import pytest
from injection.conftest import Prepare

from pytest_reedbackup.implementations.answers import Answered
from pytest_reedbackup.injection.traced.halting import Halting, halt_at, halting
from pytest_reedbackup.injection.traced.points import Point

ANSWERING = Point("write", 1, "")
"""The only write of a list: it is stopped when the answer is out."""


def test_a_process_whose_answer_comes_before_it_stands_still_is_not_left_so(
    prepare: Prepare, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = prepare("python")
    base = prepared.scene.base
    monkeypatch.setattr(Halting, "_halted", lambda self: 0)  # strace has not written it yet
    with prepared.reserve.process() as process:
        with halting(process, partial(process.list_backups, base), halt_at(ANSWERING)) as call:
            assert not call.halts()
        assert isinstance(process.list_backups(base), Answered)
