"""The JSON Schemas of the adapter protocol's messages, as files: what both sides judge by.

`requests/` has one for each method, `replies/` one for each result, by contract, and one for
errors; `kinds.json` has the kinds of errors with their fields. They are made from the types in
`protocol`, which decode messages a hundred times as fast (`making`), and say what all is wrong
with a message that these refuse (`complaints`).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import msgspec

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return what each schema is called: its path here, as in `replies/error`."""
    files = (path.relative_to(_FOLDER) for path in _FOLDER.rglob("*.json"))
    return sorted(str(path.with_suffix("")) for path in files)


@cache
def schema(name: str) -> dict[str, Any]:
    """Return a schema by its name, one of `names`."""
    read: dict[str, Any] = msgspec.json.decode((_FOLDER / f"{name}.json").read_bytes())
    return read


def reply_to(method: str, contract: str = "") -> str:
    """Return what the schema of a method's result is called."""
    return f"replies/{contract}.{method}" if contract else f"replies/{method}"


ERROR = "replies/error"
"""The schema of a reply that is an error."""
