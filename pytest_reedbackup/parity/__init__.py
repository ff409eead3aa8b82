"""Differential parity: two implementations of contract `last`, the same calls, all that they do."""
