"""The adapter protocol, and Python implementations served over it."""
