"""Calls on adapters for which only the answer counts."""

from __future__ import annotations

from pathlib import Path

from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.implementations.client import Client

BASE = Path("/somewhere/.reed")


def list_backups(client: Client, secs: float = 10.0) -> Answer:
    """Return the answer to list_backups within `secs` seconds."""
    return client.call("list_backups", "ticket", BASE, secs)
