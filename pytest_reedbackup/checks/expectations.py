"""How a case says that an implementation broke its promise."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from pytest_reedbackup.implementations.client import Answer, Answered, Refused
from pytest_reedbackup.model.failures import BrokenPromise
from pytest_reedbackup.views.tree import Tree

A_VALUE = "a value"
"""What is expected of a call that answered with an error instead."""


def expect(what: str, found: object, expected: object) -> None:
    """`found` must equal `expected`."""
    if found != expected:
        raise BrokenPromise(what, expected=_shown(expected), found=_shown(found))


def expect_that(holds: bool, what: str, *, expected: str, found: object) -> None:
    """`holds` must be true; `expected` says in words what that means."""
    if not holds:
        raise BrokenPromise(what, expected=expected, found=_shown(found))


def value_of(answer: Answer, what: str) -> Any:
    """The value that a call must have returned."""
    if isinstance(answer, Answered):
        return answer.value
    raise BrokenPromise(what, expected=A_VALUE, found=str(answer))


def refusal_of(answer: Answer, what: str, kinds: Collection[str] = ()) -> Refused:
    """The error that a call must have answered with: of one of `kinds`, if given."""
    wanted = f"error {' or '.join(kinds)}" if kinds else "an error"
    if isinstance(answer, Answered):
        given = answer.value if answer.untranslated is None else answer.untranslated
        raise BrokenPromise(what, expected=wanted, found=f"success: {_shown(given)}")
    if kinds and answer.kind not in kinds:
        raise BrokenPromise(what, expected=wanted, found=str(answer))
    return answer


def expect_named(refusal: Refused, name: str, what: str) -> None:
    """The error must name `name`, in its message or in one of its fields."""
    texts = [refusal.message, *(str(value) for value in refusal.fields.values())]
    if not any(name in text for text in texts):
        raise BrokenPromise(
            what,
            expected=f"an error that names {name!r}",
            found=f"{refusal} with the fields {refusal.fields}",
        )


def expect_same_tree(what: str, found: Tree, expected: Tree, *, mtime: bool = False) -> None:
    """`found` must hold just what `expected` does."""
    differences = expected.differences(found, mtime=mtime)
    if differences:
        raise BrokenPromise(
            what,
            expected=f"{len(expected.entries)} folders and files, unchanged",
            found="\n".join(differences),
        )


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 600 else f"{text[:600]} … ({len(text)} characters)"
