"""Implementations that a test writes as functions, and that answer in this very process."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from harness.implementations.calls import BASE

from pytest_reedbackup.implementations.answers import Answer
from pytest_reedbackup.implementations.client import Client
from pytest_reedbackup.implementations.in_process import InProcess
from reedbase_backup.adapter.loading import describe


def _nothing(**_: object) -> list[object]:
    return []


def inline_client(**functions: Callable[..., object]) -> Client:
    """Return a client of an implementation of these functions; the others return no backups."""
    methods = ("create_backup", "list_backups", "restore_point_in_time")
    replaced = {name: functions.get(name, _nothing) for name in methods}
    implementation = SimpleNamespace(**replaced, contracts=("ticket", "last"))
    return Client(InProcess(describe(implementation, "inline")))


def list_by(function: Callable[[], object], secs: float = 10.0) -> Answer:
    """Return the answer to list_backups of an implementation that calls `function` for it."""
    return inline_client(list_backups=lambda base_path: function()).call(
        "list_backups", "ticket", BASE, secs
    )
