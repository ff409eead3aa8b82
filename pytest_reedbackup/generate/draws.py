"""Draws that depend on the seed alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis.internal.conjecture import providers

_PROVIDERS: Any = providers
# Hypothesis 6.131 and later; earlier ones have no such draws.
_DRAWS_FROM_CODE = hasattr(_PROVIDERS, "_get_local_constants")


@contextmanager
def from_the_seed_alone() -> Iterator[None]:
    """Keeps Hypothesis from drawing constants of the code that happens to be loaded.

    It looks for them in all modules that are not installed: the one under test
    among them, which a recording plays back without. The same seed would be
    other examples there.
    """
    if not _DRAWS_FROM_CODE:
        yield
        return
    source, cache = _PROVIDERS._get_local_constants, _PROVIDERS.CONSTANTS_CACHE
    nothing = _PROVIDERS.Constants()
    _PROVIDERS._get_local_constants = lambda: nothing
    _PROVIDERS.CONSTANTS_CACHE = type(cache)(cache.max_size)
    try:
        yield
    finally:
        _PROVIDERS._get_local_constants, _PROVIDERS.CONSTANTS_CACHE = source, cache
