"""Faults put on purpose: what an implementation is worth when things go wrong."""
