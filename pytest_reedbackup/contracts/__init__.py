"""The two contracts as data."""

from collections.abc import Mapping

from pytest_reedbackup.contracts import last, ticket

RULES: Mapping[str, Mapping[str, str]] = {"ticket": ticket.RULES, "last": last.RULES}
"""What an implementation promises: rule ids and sentences, by contract, in order of checking."""
