"""Where Hypothesis has changed what this package touches of its own, it is said clearly."""

from __future__ import annotations

import sys

import pytest
from hypothesis.internal.conjecture import providers

from pytest_reedbackup.generate.hypothesis_internals import (
    HypothesisChanged,
    draws_from_seed_alone,
)

MODULE = "hypothesis.internal.conjecture.providers"


@pytest.mark.parametrize("name", ["_get_local_constants", "CONSTANTS_CACHE", "Constants"])
def test_a_name_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.delattr(providers, name)
    with pytest.raises(HypothesisChanged, match=rf"has no {MODULE}\.{name}, .*; install a version"):
        draws_from_seed_alone().__enter__()


def test_a_module_that_is_gone_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, MODULE, None)  # which no import gets past
    with pytest.raises(HypothesisChanged, match=rf"has no {MODULE}, .*; install a version"):
        draws_from_seed_alone().__enter__()


def test_what_is_touched_is_as_before_afterwards() -> None:
    before = vars(providers).copy()
    with draws_from_seed_alone():
        assert providers._get_local_constants is not before["_get_local_constants"]
        assert providers.CONSTANTS_CACHE is not before["CONSTANTS_CACHE"]
    assert vars(providers) == before
