"""Restores: what one did, and what contract `last` says that it may do."""
