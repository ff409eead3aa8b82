"""The two contracts as data."""

from collections.abc import Mapping

from pytest_reedbackup.contracts import ticket

RULES: Mapping[str, Mapping[str, str]] = {"ticket": ticket.RULES}
"""What an implementation promises: rule ids and sentences, by contract."""
