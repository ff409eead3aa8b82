"""What the command `reedbackup` prints: tables and previews for people, JSON for programs."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from typing import Any


def print_line(text: str) -> None:
    """Print one line for people on stdout."""
    print(printable(text))


def print_json(value: Any) -> None:
    """Print any value of this package as JSON; a name that is not UTF-8 has backslash escapes."""
    import json

    from reedbase_backup.adapter.json_values import to_json_value

    # Letters as they are, where they can be written at all.
    is_utf_8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    print(json.dumps(to_json_value(value), indent=2, ensure_ascii=not is_utf_8))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a rich table in a terminal, tab-separated lines elsewhere."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [columns, *cells]:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold", no_wrap=column in ("id", "date"))
    for row in cells:
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def printable(text: str) -> str:
    """Return `text` on one line, with escapes for what a terminal would obey or cannot show."""
    visible = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    encoding = sys.stdout.encoding or "utf-8"
    return visible.encode(encoding, "backslashreplace").decode(encoding)
