"""Which tests are taken, where two processes share them: each is run by who comes to it first."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


class Claims:
    """The claims to some tests by this process and by those forked from it.

    A claim is a file in `folder`, which the system lets only one of them make.
    """

    def __init__(self, folder: Path, node_ids: Iterable[str]) -> None:
        self._files = {node_id: folder / str(number) for number, node_id in enumerate(node_ids)}

    def take(self, node_id: str) -> bool:
        """Return whether one of these is this process's to run, for nobody has taken it yet."""
        try:
            self._files[node_id].touch(exist_ok=False)
        except FileExistsError:
            return False
        return True
