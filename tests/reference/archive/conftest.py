"""Archives are read by one thread, and by one that has another inflate for it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from reedbase_backup.archive import gzip_reader


@pytest.fixture(scope="module", params=["alone", "beside"])
def inflated(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have all but the first bytes of a file inflated `beside`, in pieces of a few bytes."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "beside":
            patch.setattr(os, "sched_getaffinity", lambda pid: {0, 1}, raising=False)
            patch.setattr(gzip_reader, "_BESIDE_FROM", 1)
            patch.setattr(gzip_reader, "_CHUNK", 1 << 8)
        yield
