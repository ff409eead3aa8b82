"""A table's versions in contract `last`: its log, its deltas, and the chain that they make."""
