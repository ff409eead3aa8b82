"""How an outcome is called and coloured in the terminal."""

from __future__ import annotations

from pytest_reedbackup.model.outcome import Outcome

MARKS = {
    Outcome.PASS: ("kept", "green"),
    Outcome.FAIL: ("BROKEN", "bold red"),
    Outcome.DIVERGES: ("diverges", "magenta"),
    Outcome.ERROR: ("error", "yellow"),
    Outcome.SKIP: ("skipped", "cyan"),
    Outcome.UNDECIDED: ("undecided", "yellow"),
    Outcome.NOT_CHECKED: ("not checked", "yellow"),
}
"""Word and style of one case or one rule."""

COUNTED = (
    (Outcome.PASS, "kept"),
    (Outcome.FAIL, "broken"),
    (Outcome.DIVERGES, "diverging as declared"),
    (Outcome.UNDECIDED, "undecided"),
    (Outcome.ERROR, "errors"),
    (Outcome.NOT_CHECKED, "not checked"),
    (Outcome.SKIP, "skipped"),
)
"""What each kind of outcome is called with its count, in the order of a headline."""
