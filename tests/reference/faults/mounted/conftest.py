"""Mounting for a test."""

from reference.faults.mounted.mounting import mount

__all__ = ["mount"]
