"""The two contracts as data."""

from collections.abc import Mapping

from pytest_reedbackup.contracts import last, ticket

RULES: Mapping[str, Mapping[str, str]] = {"ticket": ticket.RULES, "last": last.RULES}
"""What an implementation promises: rule ids and sentences, by contract, in order of checking."""

OPTIONAL: Mapping[str, Mapping[str, str]] = {"ticket": ticket.OPTIONAL, "last": last.OPTIONAL}
"""By contract, the rules that may go unchecked without any harm to the verdict, and why."""

OPTIONAL_CAPABILITIES = frozenset({"clock"})
"""What an adapter may lack and conform all the same (the protocol's capabilities)."""
