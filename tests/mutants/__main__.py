"""The mutants as a table: `cd tests && python -m mutants`.

A row is a mutant, the rule that it breaks, the first case that failed, and what
that said; red where it is another rule's. With words given, only the mutants whose
names hold one of them; with --whole, (nearly) the whole suite against each.
"""

from __future__ import annotations

import sys

from rich.console import Console
from rich.table import Table

from mutants.catalogue import first_failure, hold, mutants
from pytest_reedbackup.model.outcome import CaseOutcome


def main(arguments: list[str]) -> int:
    words = [argument for argument in arguments if argument != "--whole"]
    chosen = [m for m in mutants() if not words or any(word in m.name for word in words)]
    whole = ["--mutants-whole"] if "--whole" in arguments else []
    held = hold([mutant.option for mutant in chosen], "-p", "mutants.selection", *whole)
    table = Table("mutant", "breaks", "first case to fail", "which said")
    missed = 0
    for mutant in chosen:
        failure = first_failure(held[mutant.option])
        is_caught = failure is not None and failure.rule == mutant.breaks
        missed += not is_caught
        table.add_row(
            f"{mutant.name}\n{mutant.mutation}",
            mutant.breaks,
            failure.case_id.removeprefix("ticket/") if failure else "none",
            _said(failure) if failure else "",
            style="" if is_caught else "bold red",
        )
    console = Console(width=200)
    console.print(table)
    console.print(
        f"{len(chosen) - missed} of {len(chosen)} mutants caught by the rule that they break"
    )
    return min(missed, 1)


def _said(failure: CaseOutcome) -> str:
    lines = failure.found.splitlines()
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return f"{failure.detail}: expected {failure.expected}, found {lines[0][:200]}{more}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
