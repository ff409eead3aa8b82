"""Sweeps in which a process is stopped at each of its calls while others work."""
