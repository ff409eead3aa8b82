"""`reedbackup complete`."""

from __future__ import annotations

import argparse

SHELLS = ("bash", "zsh", "fish")
EXAMPLES = (
    'reedbackup complete bash >> ~/.bashrc   # or: eval "$(reedbackup complete bash)"',
    "reedbackup complete fish > ~/.config/fish/completions/reedbackup.fish",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a shell."""
    parser.add_argument("shell", choices=SHELLS, help="the shell that is to complete")


def run(options: argparse.Namespace) -> int:
    """Print what the shell is to read at its start."""
    from argcomplete.shell_integration import shellcode

    print(shellcode(["reedbackup"], shell=options.shell))
    return 0
