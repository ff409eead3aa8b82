"""Archives are read by one thread, and by one that has another inflate for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reference.archive.threads import have_processors

from reedbase_backup.archive import gzip_reader


@pytest.fixture(scope="module", params=["alone", "beside"])
def inflated(request: pytest.FixtureRequest) -> Iterator[None]:
    """Have all but the first bytes of a file inflated `beside`, in pieces of a few bytes."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "beside":
            have_processors(patch, 2)
            patch.setattr(gzip_reader, "_BESIDE_FROM", 1)
            patch.setattr(gzip_reader, "_CHUNK", 1 << 8)
        yield
