"""How a case says that an implementation broke its promise."""

from __future__ import annotations

from pytest_reedbackup.contracts.ticket import ERROR_KINDS
from pytest_reedbackup.implementations.answers import Answer, Refused
from pytest_reedbackup.model.adapter_faults import AdapterFault
from pytest_reedbackup.model.differences import difference
from pytest_reedbackup.model.failures import BrokenPromise, Cause, short_repr
from pytest_reedbackup.views.tree import Tree
from reedbase_backup.adapter.words import ROUNDED, did_you_mean

# Where a call of an implementation fails, a user's test is to be shown, and not this file.
__tracebackhide__ = True


def expect(what: str, found: object, expected: object) -> None:
    """Raise BrokenPromise unless `found` equals `expected`."""
    if found != expected:
        raise BrokenPromise(
            what,
            expected=short_repr(expected),
            found=f"{short_repr(found)}{_about_rounding(expected, found)}",
            difference=difference(expected, found),
        )


def _about_rounding(expected: object, found: object) -> str:
    """Return what has become of a large integer on its way through a parser that reads doubles."""
    if not isinstance(expected, int) or not isinstance(found, int):
        return ""
    was_rounded = expected > 2**53 and float(expected) == float(found)
    return f": {ROUNDED}" if was_rounded else ""


def expect_that(
    holds: bool, what: str, *, expected: str, found: object, cause: Cause = Cause.VALUE
) -> None:
    """Raise BrokenPromise unless `holds`; `expected` says in words what that means."""
    if not holds:
        raise BrokenPromise(what, expected=expected, found=short_repr(found), cause=cause)


def expect_named(refusal: Refused, name: str, what: str) -> None:
    """Raise BrokenPromise unless the error has `name` in its message or in one of its fields."""
    texts = [refusal.message, *(str(value) for value in refusal.fields.values())]
    if not any(name in text for text in texts):
        raise BrokenPromise(
            what,
            expected=f"an error that names {name!r}",
            found=f"{refusal} with the fields {refusal.fields}",
            cause=refusal.cause(),
        )


def expect_documented(answer: Answer, what: str) -> None:
    """Raise BrokenPromise where it is an error of no documented kind."""
    if isinstance(answer, Refused) and answer.kind not in ERROR_KINDS:
        raise BrokenPromise(
            what,
            expected=f"one of a documented kind: {', '.join(sorted(ERROR_KINDS))}",
            found=f"{answer}{did_you_mean(answer.kind, ERROR_KINDS)}",
            cause=answer.cause(),
        )


def no_answer(
    what: str,
    fault: AdapterFault,
    expected: str = "an answer: an error of a documented kind, or success",
) -> BrokenPromise:
    """Return the promise that an implementation breaks which does not answer."""
    return BrokenPromise(what, expected=expected, found=fault.message, cause=Cause.NO_ANSWER)


def hung(what: str, secs: float) -> BrokenPromise:
    """Return the promise that an implementation breaks which is waited for so long, in vain."""
    found = f"none within {secs:g} s: it hangs"
    return BrokenPromise(what, expected="an answer", found=found, cause=Cause.NO_ANSWER)


def expect_old_or_new(what: str, found: Tree, old: Tree, new: Tree) -> None:
    """Raise BrokenPromise unless `found` holds just what one of the two does: no mixture."""
    if not found.differences(old) or not found.differences(new):
        return
    raise BrokenPromise(
        what,
        expected="all of the old tree or all of the new one",
        found="\n".join(
            [
                "a mixture; against the new tree:",
                *new.differences(found, limit=6),
                "against the old tree:",
                *old.differences(found, limit=6),
            ]
        ),
        cause=Cause.TREE,
    )


def expect_same_tree(what: str, found: Tree, expected: Tree, *, mtime: bool = False) -> None:
    """Raise BrokenPromise unless `found` holds just what `expected` does."""
    differences = expected.differences(found, mtime=mtime)
    if differences:
        raise BrokenPromise(
            what,
            expected=f"{len(expected.entries)} folders and files, unchanged",
            found="\n".join(differences),
            cause=Cause.TREE,
        )
