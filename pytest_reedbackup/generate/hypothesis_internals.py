"""The names of Hypothesis' own that this package touches: these, here alone.

Tried on Hypothesis 6.132 to 6.170. No document promises them, so another version
may have changed them: then a campaign is an error that says so.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis

_TRIED = "6.132 to 6.170"
_MODULE = "hypothesis.internal.conjecture.providers"
_NAMES = ("_get_local_constants", "CONSTANTS_CACHE", "Constants")


class HypothesisChanged(Exception):
    """The installed version of Hypothesis has not what is needed; the message says what to do."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Hypothesis {hypothesis.__version__} has no {name}, without which the same seed does"
            f" not give the same examples; install a version that was tried ({_TRIED}), or a newer"
            " pytest-reedbackup"
        )


@contextmanager
def draws_from_seed_alone() -> Iterator[None]:
    """Keep Hypothesis from drawing constants of the code that happens to be loaded.

    It looks for them in all modules that are not installed: the one under test
    among them, which a recording plays back without. The same seed would be
    other examples there. Raise HypothesisChanged where it cannot be kept from it.
    """
    providers = _providers()
    source, cache = providers._get_local_constants, providers.CONSTANTS_CACHE
    nothing = providers.Constants()
    providers._get_local_constants = lambda: nothing
    providers.CONSTANTS_CACHE = type(cache)(cache.max_size)
    try:
        yield
    finally:
        providers._get_local_constants, providers.CONSTANTS_CACHE = source, cache


def _providers() -> Any:
    try:
        module = importlib.import_module(_MODULE)
    except ImportError as error:
        raise HypothesisChanged(_MODULE) from error
    for name in _NAMES:
        if not hasattr(module, name):
            raise HypothesisChanged(f"{_MODULE}.{name}")
    return module
