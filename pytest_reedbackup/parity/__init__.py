"""Differential testing: two implementations of contract `last`, and one alone against it."""
