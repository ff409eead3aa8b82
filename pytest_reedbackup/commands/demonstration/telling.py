"""Who tells the demonstration at the terminal, and runs its commands in a folder."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_reedbackup.reports.terminal.wrapping import LEAST, labelled
from reedbase_backup.cli.failures import Failed
from reedbase_backup.cli.printing import print_line

PROGRAM = (sys.executable, "-m", "reedbase_backup")
"""What `reedbackup` stands for in a command line: this installation's, whatever is on PATH."""

_WIDEST = 80
_BOLD, _PLAIN = "\033[1m", "\033[0m"


class Teller:
    """Tells the story, and runs its commands."""

    def __init__(self, folder: Path, where: str) -> None:
        self.folder = folder
        """In which the commands are run."""
        self.where = where
        """The folder, in words."""
        self.base = folder / ".reed"
        self.width = max(LEAST, min(_WIDEST, shutil.get_terminal_size().columns))

    def begin(self, title: str) -> None:
        """Begin a chapter."""
        print_line("")
        self._print_marked(title)

    def tell(self, text: str) -> None:
        """Say something, in lines that fit; what is indented stays so."""
        for line in labelled("", text, self.width):
            print_line(line)

    def run(self, command: str) -> None:
        """Show a command line and run it in the folder, for all to see what it prints.

        Raise Failed where it fails.
        """
        self._print_marked(f"$ {command}")
        words = shlex.split(command)
        # What it prints goes where this goes, and comes after it.
        sys.stdout.flush()
        program = PROGRAM if words[0] == "reedbackup" else words[:1]
        # Nobody is asked anything. Ctrl-C is this process's, which ends the other: that one could
        # say no more than where in Python's start it was.
        done = subprocess.run(
            [*program, *words[1:]],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            process_group=0,
            check=False,
        )
        if done.returncode:
            raise went_wrong(f"{command} ended with status {done.returncode}")

    def _print_marked(self, line: str) -> None:
        is_coloured = sys.stdout.isatty() and not os.environ.get("NO_COLOR")
        print(f"{_BOLD}{line}{_PLAIN}" if is_coloured else line)


def went_wrong(words: str) -> Failed:
    """Return the error of a demonstration that does not come out as it is told."""
    advice = "reedbackup demo --keep DIR leaves the database in DIR, to be looked at"
    return Failed("DemonstrationFailed", words, advice)


@contextmanager
def kept(folder: Path) -> Iterator[Path]:
    """Yield `folder`, made if it is missing. Raise Failed where something is in it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        names = os.listdir(folder)
    except OSError as error:
        advice = "give --keep a folder that you may write to"
        raise Failed("IoError", f"cannot make {folder}: {error.strerror}", advice) from error
    if names:
        advice = "give --keep a folder that is not there yet"
        raise Failed("NotEmpty", f"{folder} is not empty", advice)
    yield folder.absolute()
