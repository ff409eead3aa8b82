"""What the command `reedbackup` prints: tables and previews for people, JSON for programs."""

from __future__ import annotations

import codecs
import sys
from collections.abc import Sequence
from typing import Any, TextIO

_GAP = 2
# How wide the last column of a table is at least, where it is broken over lines.
_NARROWEST = 36


def print_sentence(text: str, stream: TextIO | None = None) -> None:
    """Print what is to be read, `folded`, on stdout or another stream."""
    stream = stream or sys.stdout
    print(folded(printable(text), stream), file=stream)


def print_line(text: str) -> None:
    """Print what may be copied on stdout, as a name or a command, in one line at any width."""
    print(printable(text))


def folded(text: str, stream: TextIO) -> str:
    """Return `text`, broken between words where `stream` is a terminal that is too narrow for it.

    What goes on is indented by two more.
    """
    if not stream.isatty():
        return text
    # Only here: every command would wait for them at its start.
    import shutil
    import textwrap

    margin = text[: len(text) - len(text.lstrip())]
    return textwrap.fill(
        text,
        shutil.get_terminal_size().columns,
        subsequent_indent=f"{margin}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def print_json(value: Any) -> None:
    """Print any value of this package as JSON; a name that is not UTF-8 has backslash escapes."""
    import json

    from reedbase_backup.adapter.json_values import to_json_value

    # Letters as they are, where they can be written at all.
    is_utf_8 = codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    print(json.dumps(to_json_value(value), indent=2, ensure_ascii=not is_utf_8))


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[str]], gives_way: Sequence[str] = ()
) -> None:
    """Print a rich table in a terminal, tab-separated lines elsewhere.

    Where a terminal is too narrow, the columns in `gives_way` are left out, in that
    order, as many as it takes; what is too wide even then is broken over lines.
    """
    cells = [[printable(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in [columns, *cells]:
            print("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    shown = _columns_that_fit(columns, cells, gives_way, console.width)
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for number in shown:
        is_last = number == shown[-1]
        table.add_column(columns[number], overflow="fold", no_wrap=not is_last)
    for row in cells:
        table.add_row(*(Text(row[number]) for number in shown))
    console.print(table)


def _columns_that_fit(
    columns: Sequence[str], rows: Sequence[Sequence[str]], gives_way: Sequence[str], width: int
) -> list[int]:
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(columns, *rows, strict=True)]
    # The last one, as a verdict, may take several lines.
    widths[-1] = min(widths[-1], _NARROWEST)
    shown = list(range(len(columns)))
    for name in gives_way:
        if sum(widths[number] + _GAP for number in shown) - _GAP <= width:
            break
        shown.remove(columns.index(name))
    return shown


def printable(text: str) -> str:
    """Return `text` on one line, with escapes for what a terminal would obey or cannot show."""
    visible = "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
    return showable(visible)


def showable(text: str) -> str:
    """Return `text` with escapes for what stdout's encoding has no letters for."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
