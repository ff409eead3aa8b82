"""The commands that the kit adds to `reedbackup`; each module is loaded when it is called."""

from __future__ import annotations

COMMANDS = {
    "cases": (f"{__name__}.cases", "list the suite's cases, with what each promises"),
    "demo": (f"{__name__}.demo", "show backups, a damage, a restore and a power cut, in a minute"),
    "report": (f"{__name__}.report", "show a run's report, compare two, or make a page of one"),
}
"""Of each command its module and its line of help, as `reedbase_backup.cli.table` has them."""
