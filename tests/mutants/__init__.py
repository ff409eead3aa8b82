"""Small implementations of contract `ticket`: conforming ones, and mutants of one change each."""
