"""Lies: each class is the honest implementation with one change, and says which rule it breaks."""
