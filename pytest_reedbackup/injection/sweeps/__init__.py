"""Sweeps: one thing goes wrong at a time, at every point of a call, and what is left is judged."""
