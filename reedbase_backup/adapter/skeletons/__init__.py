"""Skeletons of adapters: a folder a language, written out with a README and a file for CI.

Each speaks the whole protocol and answers every call with an error that says that it is to be
written, so that the suite runs against it from the first minute.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

_FOLDER = Path(__file__).parent


class Skeleton(NamedTuple):
    """What is particular about one language."""

    code: str
    """The file in which the three functions are to be written."""
    build: str
    """The command that makes it; empty where none is needed."""
    test: str
    """The command of its own test."""
    implementation: str
    """What --reedbackup-impl takes."""
    action: str
    """What GitHub's workflows set the language up with, and its version."""
    shared: tuple[str, ...] = ()
    """Files that another language's folder has: their paths from here."""


_PYTHON = "actions/setup-python@v5 with: {python-version: '3.12'}"
_PYTHON_TEST = "python3 -m pytest test_adapter.py"

SKELETONS = {
    "python": Skeleton("adapter.py", "", _PYTHON_TEST, "python3 adapter.py", _PYTHON),
    "rust": Skeleton(
        "src/backup.rs",
        "cargo build --release",
        "cargo test --release",
        "./target/release/my-backup",
        "",
    ),
    "go": Skeleton(
        "backup.go",
        "go build -o my-backup .",
        "go test ./...",
        "./my-backup",
        "actions/setup-go@v5 with: {go-version: stable}",
    ),
    "javascript": Skeleton(
        "adapter.mjs",
        "",
        "node --test",
        "node adapter.mjs",
        "actions/setup-node@v4 with: {node-version: 22}",
    ),
    "stdio": Skeleton(
        "tool.sh",
        "",
        _PYTHON_TEST,
        "python3 adapter.py",
        _PYTHON,
        shared=("python/test_adapter.py",),
    ),
}
"""What can be written, by its name on the command line."""


class NotEmpty(Exception):
    """There is something in the folder."""


def write(language: str, out: Path) -> Skeleton:
    """Write the skeleton of a language to the folder `out`. Raise NotEmpty, OSError."""
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise NotEmpty(f"{out} is there, and not an empty folder")
    skeleton = SKELETONS[language]
    unwanted = shutil.ignore_patterns("__pycache__", "target", "my-backup")
    shutil.copytree(_FOLDER / language, out, ignore=unwanted, dirs_exist_ok=True)
    for path in skeleton.shared:
        shutil.copy2(_FOLDER / path, out)
    (out / "README.md").write_text(_readme(skeleton))
    workflow = out / ".github" / "workflows" / "conformance.yml"
    workflow.parent.mkdir(parents=True)
    workflow.write_text(_workflow(skeleton))
    return skeleton


def commands(skeleton: Skeleton, options: str = "") -> list[str]:
    """Return what to type, from nothing to the first run of the suite, which gets `options`."""
    made = [skeleton.build] if skeleton.build else []
    install = "python3 -m pip install pytest-reedbackup"
    suite = f"pytest --reedbackup-impl='{skeleton.implementation}'{options}"
    return [install, *made, skeleton.test, suite]


def _readme(skeleton: Skeleton) -> str:
    typed = "\n".join(commands(skeleton))
    return f"""\
# A backup module behind pytest-reedbackup's adapter protocol

The three functions are to be written in `{skeleton.code}`; the rest speaks the protocol. Then hold
them against the contract:

```sh
{typed}
```

What each rule asks for, in the order in which to write it:

```sh
reedbackup cases --contract ticket
pytest --reedbackup-impl='{skeleton.implementation}' --reedbackup-case='ticket/create/archive*'
reedbackup adapter schema replies/ticket.create_backup
```

Begin with create_backup, then list_backups, then restore_point_in_time: a rule comes after those
that it relies on. What goes to stderr is shown with a failure; stdout is the protocol's alone.
"""


def _workflow(skeleton: Skeleton) -> str:
    uses, _, given = skeleton.action.partition(" with: ")
    set_up = f"      - uses: {uses}\n        with: {given}\n" if uses else ""
    # Power cuts need root and disks, which hosted runners do not give as they are.
    options = " --reedbackup-faults=off --reedbackup-report=report.html"
    runs = "\n".join(f"      - run: {command}" for command in commands(skeleton, options))
    return f"""\
name: conformance
on: [push, pull_request]
jobs:
  conformance:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
{set_up}{runs}
      - uses: actions/upload-artifact@v4
        if: always()
        with: {{name: conformance, path: report.html}}
"""
