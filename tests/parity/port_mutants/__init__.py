"""Realistic slips in the port, each in behaviour that contract `last` states."""

from __future__ import annotations

from collections.abc import Sequence

from parity.port_mutants.folders import FOLDERS
from parity.port_mutants.model import PortMutant
from parity.port_mutants.registry import REGISTRY
from parity.port_mutants.tables import TABLES
from parity.port_mutants.versions import VERSIONS

PORT_MUTANTS: Sequence[PortMutant] = (*VERSIONS, *FOLDERS, *TABLES, *REGISTRY)


def mutant(name: str) -> PortMutant:
    """Return the mutant of this name."""
    (only,) = (each for each in PORT_MUTANTS if each.name == name)
    return only
