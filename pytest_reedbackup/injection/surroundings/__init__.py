"""Surroundings that are unkind: mounts, rights, limits."""
