"""`reedbackup show`."""

from __future__ import annotations

import argparse
import time
from typing import TYPE_CHECKING

from reedbase_backup.cli import messages
from reedbase_backup.cli.arguments import add_base
from reedbase_backup.cli.choosing.chosen import archive_bytes, chosen
from reedbase_backup.cli.choosing.moments import WAYS
from reedbase_backup.cli.completion import completes_backups
from reedbase_backup.cli.printing import print_json, print_sentence, print_table
from reedbase_backup.cli.quantities import size

if TYPE_CHECKING:
    from reedbase_backup.comparing.trees import Tree

EXAMPLES = ("reedbackup show .reed latest", "reedbackup show .reed 1795338000 --json")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take a database, and which backup of it."""
    add_base(parser)
    completes_backups(parser.add_argument("which", metavar="ID", help=f"a backup: {WAYS}"))


def run(options: argparse.Namespace) -> int:
    """List what the backup holds, a line a table, once all of it is verified."""
    from reedbase_backup.comparing import trees

    with chosen(options.base, options.which) as [pick]:
        name, tree, contents = trees.of_backup(options.base, pick)
    size_bytes = archive_bytes(options.base, name)
    parts = _parts(tree)
    if options.json:
        described = {
            "id": name.id,
            "timestamp": name.timestamp,
            "size_bytes": size_bytes,
            "total_bytes": contents.total_bytes,
            "has_manifest": contents.has_manifest,
        }
        keys = ("name", "files", "total_bytes")
        print_json(described | {"parts": [dict(zip(keys, part, strict=True)) for part in parts]})
        return 0
    print_sentence(messages.backup_shown(name, contents, size_bytes, int(time.time())))
    rows = [[part, str(files), size(count)] for part, files, count in parts]
    print_table(["part", "files", "size"], rows, gives_way=("files",))
    return 0


def _parts(tree: Tree) -> list[tuple[str, int, int]]:
    """Return each table, and indices/: its name, how many files it has, and their bytes."""
    parts = {name: [0, 0] for name, node in tree.items() if name.count("/") == 1}
    parts = {name: counts for name, counts in parts.items() if name.startswith("tables/")}
    if "indices" in tree:
        parts["indices"] = [0, 0]
    for name, node in tree.items():
        part = "/".join(name.split("/")[:2]) if name.startswith("tables/") else "indices"
        if node.kind == "file" and part in parts:
            parts[part][0] += 1
            parts[part][1] += node.size
    return [(name, files, count) for name, (files, count) in sorted(parts.items())]
