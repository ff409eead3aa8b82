"""Hypothesis strategies for scenarios of contract `last`, and for their parts."""
