"""The mutants as a table: `cd tests && python -m mutants`.

A row is a lie, the rule that it breaks, the first case that failed, and what
that said; red where it is another rule's. With words given, only the lies whose
names hold one of them; with --whole, (nearly) the whole suite against each.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from mutants.catalogue import first_failure, hold, lying
from pytest_reedbackup.model.outcome import CaseOutcome


def main(arguments: list[str]) -> int:
    words = [argument for argument in arguments if argument != "--whole"]
    shown = [e for e in lying() if not words or any(word in e.name for word in words)]
    whole = ["--mutants-whole"] if "--whole" in arguments else []
    held = hold([exhibit.option for exhibit in shown], "-p", "mutants.selection", *whole)
    table = Table("lie", "breaks", "first case to fail", "which said")
    missed = 0
    for exhibit in shown:
        failure = first_failure(held[exhibit.option])
        is_caught = failure is not None and failure.rule == exhibit.breaks
        missed += not is_caught
        table.add_row(
            f"{exhibit.name}\n{exhibit.lie}",
            exhibit.breaks,
            failure.case_id.removeprefix("ticket/") if failure else "none",
            _said(failure) if failure else "",
            style="" if is_caught else "bold red",
        )
    console = Console(width=200)
    console.print(table)
    console.print(f"{len(shown) - missed} of {len(shown)} lies caught by the rule that they break")
    return min(missed, 1)


def _said(failure: CaseOutcome) -> str:
    found = failure.found.splitlines()
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{failure.detail}: expected {failure.expected}, found {found[0][:200]}{more}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
