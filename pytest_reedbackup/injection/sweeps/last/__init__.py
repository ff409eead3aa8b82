"""Sweeps of contract `last`: what the baseline loses, and what whoever loses nothing is held to."""
