"""The two contracts as data."""
