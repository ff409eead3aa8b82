"""The two contracts as data."""

from collections.abc import Mapping

from pytest_reedbackup.contracts import last, ticket

RULES: Mapping[str, Mapping[str, str]] = {"ticket": ticket.RULES, "last": last.RULES}
"""By contract: what an implementation promises, by rule id, in the order of checking."""
