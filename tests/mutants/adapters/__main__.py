"""Serve one adapter: `python -m mutants.adapters MODULE:NAME`."""

from __future__ import annotations

import importlib
import sys

if __name__ == "__main__":
    module, _, name = sys.argv[1].partition(":")
    getattr(importlib.import_module(f"mutants.adapters.{module}"), name)().serve()
