"""Folders, locks and durability: what the reference asks of the operating system."""
