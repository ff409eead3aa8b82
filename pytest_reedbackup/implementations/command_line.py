"""The command line of an adapter, as a shell reads it."""

from __future__ import annotations

import io
import os
import shlex


def words_of(command: str) -> list[str]:
    """Return the words of `command`, with home folders in the place of unquoted leading tildes.

    No shell sees what stands after `--reedbackup-impl=`. Raise ValueError for
    a quotation without an end.
    """
    text = io.StringIO(command)
    lexer = shlex.shlex(text, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    start = 0
    while (word := lexer.get_token()) is not None:
        end = text.tell()
        is_bare = command[start:end].lstrip().startswith("~")
        words.append(os.path.expanduser(word) if is_bare else word)
        start = end
    return words
