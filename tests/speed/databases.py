"""`python tests/speed/databases.py [NAME …]`: how long building and cloning take here.

It works in a new folder in the system's temporary folder (TMPDIR says which).
On ext4 the figures are worse for some minutes after many files were removed:
it does not give a new file the inode of one removed just before.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from pytest_reedbackup.databases.clone import remove_tree
from pytest_reedbackup.databases.spec import NAMED, Spec
from pytest_reedbackup.databases.templates import Templates
from pytest_reedbackup.views.tree import Tree

_CLONES = 5


def main() -> None:
    """Measure the named databases, or all of them, and print a line each."""
    parser = argparse.ArgumentParser(prog="python tests/speed/databases.py")
    parser.add_argument("name", nargs="*", help=f"of {', '.join(NAMED)}; default: all")
    names = parser.parse_args().name or list(NAMED)
    if unknown := [name for name in names if name not in NAMED]:
        parser.error(f"no database is called {unknown[0]!r}; there are {', '.join(NAMED)}")
    folder = Path(tempfile.mkdtemp(prefix="reedbackup-"))
    try:
        print(f"{'database':12} {'files':>6} {'bytes':>11} {'build':>9} {'clone':>9} {'read':>9}")
        for name in names:
            print(f"{name:12} {_measured(NAMED[name], folder / name)}", flush=True)
    finally:
        remove_tree(folder)


def _measured(spec: Spec, folder: Path) -> str:
    templates = Templates(folder / "templates")
    started = time.perf_counter()
    template = templates.get(spec)
    built = time.perf_counter()
    times = []
    for number in range(_CLONES):
        start = time.perf_counter()
        templates.clone(spec, folder / str(number))
        times.append(time.perf_counter() - start)
    start = time.perf_counter()
    files = [entry for entry in Tree.read(template).entries.values() if entry.kind == "file"]
    read = time.perf_counter() - start
    figures = " ".join(f"{1000 * took:6.1f} ms" for took in (built - started, min(times), read))
    return f"{len(files):6} {sum(file.size for file in files):11} {figures}"


if __name__ == "__main__":
    main()
