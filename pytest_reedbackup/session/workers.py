"""What pytest-xdist's workers do not say by themselves: why they refuse a run."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

_USAGE_ERROR = "reedbackup_usage_error"


class Workers:
    """Carry a usage error that only collecting shows from the workers to the user.

    pytest-xdist collects in its workers and ends without a word where they fail to.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._usage_error = ""

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self) -> Generator[None]:
        """Note the error, in a worker, for the other side."""
        try:
            return (yield)
        except pytest.UsageError as error:
            if hasattr(self._config, "workeroutput"):
                self._config.workeroutput[_USAGE_ERROR] = str(error)
            raise

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take the note, on the other side, from a worker that ended."""
        output = getattr(node, "workeroutput", {})
        self._usage_error = self._usage_error or output.get(_USAGE_ERROR, "")

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self) -> Generator[None]:
        """Raise it again, on the other side, once pytest-xdist has ended the workers."""
        yield
        if self._usage_error:
            raise pytest.UsageError(self._usage_error)
