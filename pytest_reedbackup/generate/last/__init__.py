"""Generated databases, damage and calls for contract `last`."""
