"""A conforming adapter that looks as if it were none."""

from __future__ import annotations

import json
import sys

from mutants.adapters.adapter import Adapter, Reply


class Chatty(Adapter):
    """Writes a megabyte to stderr with every reply, and JSON in its own way; nothing is wrong."""

    mutated_method = "every method"

    def send(self, reply: Reply) -> None:
        sys.stderr.write("DEBUG all is well\n" * 60_000)
        sys.stderr.flush()
        shuffled = dict(reversed(reply.items()))
        text = json.dumps(shuffled, separators=(" , ", " : "), ensure_ascii=False)
        self.write(b"  " + text.encode("utf-8", "backslashreplace") + b"\t\r\n")
